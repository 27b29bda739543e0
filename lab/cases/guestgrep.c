/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * guestgrep DOMID MIB TEXT: is TEXT in the first MIB of a guest's memory?  0: yes; 1: no; 2: it could not be read.
 * `xl dump-core` would do, but it asks for each of a million frames up to 4 GiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

#define PAGE 4096u
#define MIB (1u << 20)
#define FRAMES (MIB / PAGE)

static int fail(const char *what)
{
    perror(what);
    return 2;
}

/* Text that lies across the end of a MiB is found, too: @kept of its bytes are in front of the next one. */
static int search(xenforeignmemory_handle *fmem, uint32_t domid, unsigned long mib, const char *text)
{
    size_t kept = strlen(text) - 1;
    char *seen = calloc(1, kept + MIB);

    for (unsigned long m = 0; seen && m < mib; m++) {
        xen_pfn_t frame[FRAMES];
        int bad[FRAMES];
        char *p;

        for (size_t i = 0; i < FRAMES; i++)
            frame[i] = m * FRAMES + i;
        p = xenforeignmemory_map(fmem, domid, PROT_READ, FRAMES, frame, bad);
        if (!p)
            return fail("mapping the guest");
        for (size_t i = 0; i < FRAMES; i++) /* a ballooned hole is no memory */
            if (bad[i])
                memset(seen + kept + i * PAGE, 0, PAGE);
            else
                memcpy(seen + kept + i * PAGE, p + i * PAGE, PAGE);
        xenforeignmemory_unmap(fmem, p, FRAMES);
        if (memmem(seen, kept + MIB, text, strlen(text)))
            return 0;
        memmove(seen, seen + MIB, kept);
    }
    return seen ? 1 : fail("memory");
}

int main(int argc, char **argv)
{
    xenforeignmemory_handle *fmem = xenforeignmemory_open(NULL, 0);

    if (argc != 4 || !fmem || !*argv[3])
        return fail("guestgrep DOMID MIB TEXT");
    return search(fmem, (uint32_t)strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10), argv[3]);
}
