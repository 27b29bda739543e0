/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxenforeignmemory for a confined parser of the tests' own: the memory is that of the fake that started it, which has
 * its file open as FAKE_FRAMES_FD.  Whoever has none there has no such device.
 */
#include "frames.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenforeignmemory.h>

static int memory = -1;
static bool restricted;

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger, unsigned int flags)
{
    char path[64];

    (void)logger;
    (void)flags;
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getppid(), FAKE_FRAMES_FD);
    memory = open(path, O_RDWR | O_CLOEXEC);
    return memory < 0 ? NULL : (xenforeignmemory_handle *)&memory;
}

int xenforeignmemory_restrict(xenforeignmemory_handle *fmem, domid_t domid)
{
    restricted = fmem && domid == FAKE_DOMID;
    return restricted ? 0 : -1;
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
    return fmem ? close(memory) : 0;
}

/* As the fake itself does: what nobody touched is what Xen scrubbed. */
static bool scrub(uint8_t *p, uint64_t gfn)
{
    uint8_t touched = 0;

    if (pread(memory, &touched, 1, FAKE_TOUCHED_OFF + (off_t)gfn) != 1)
        return false;
    if (touched)
        return true;
    memset(p, FAKE_SCRUB, FAKE_PAGE);
    return pwrite(memory, "\1", 1, FAKE_TOUCHED_OFF + (off_t)gfn) == 1;
}

void *xenforeignmemory_map2(xenforeignmemory_handle *fmem, uint32_t domid, void *addr, int prot, int flags,
                            size_t pages, const xen_pfn_t gfn[], int error[])
{
    uint8_t *p = addr;

    if (!fmem || !restricted || domid != FAKE_DOMID || flags != MAP_FIXED || error) {
        errno = EPERM;
        return NULL;
    }
    for (size_t i = 0; i < pages; i++)
        if (gfn[i] >= FAKE_GFNS ||
            mmap(p + i * FAKE_PAGE, FAKE_PAGE, prot, MAP_SHARED | MAP_FIXED, memory, (off_t)(gfn[i] * FAKE_PAGE)) ==
                MAP_FAILED ||
            !scrub(p + i * FAKE_PAGE, gfn[i]))
            return NULL;
    return addr;
}
