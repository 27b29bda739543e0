/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * bootloader shim|file|memory STUB CMDLINE [MODULE [MODULE [CUT before|during]]]: hand libxenguest a PVH domain's images as
 * libxl does.  The first is the shim that the administrator named, with the guest's kernel as its module, which has a
 * command line then; or the guest's kernel by name; or, as all modules are, a mapping of the file that a bootloader made on
 * its way through the guest's disk.  Print who loads it.  The file CUT loses its bytes before libxenguest looks at
 * them, or in the middle of the first copy that is made of them.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xenctrl.h>

#include <xenguest.h>

struct mapping {
    const char *path;
    uint8_t *p;
    size_t bytes;
};

static struct mapping cut; /* by write(); all zeroes: none */

static struct mapping map(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct mapping m = { .path = path };
    struct stat st;

    if (fd < 0 || fstat(fd, &st))
        err(70, "%s", path);
    m.bytes = (size_t)st.st_size;
    m.p = mmap(NULL, m.bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (m.p == MAP_FAILED)
        err(70, "%s", path);
    close(fd);
    return m;
}

static void empty(const char *path)
{
    if (truncate(path, 0))
        err(70, "%s", path);
}

/* The plugin's too: the linker prefers it to libc's. */
ssize_t write(int fd, const void *p, size_t n)
{
    const uint8_t *from = p;
    ssize_t r;

    if (!cut.p || from < cut.p || from >= cut.p + cut.bytes)
        return syscall(SYS_write, fd, p, n);
    r = syscall(SYS_write, fd, p, n / 2);
    empty(cut.path);
    cut.p = NULL;
    return r;
}

static int hand_over(struct xc_dom_image *dom, const char *path, const char *cmdline, char **cut_when)
{
    struct mapping m = map(path);
    int rc = xc_dom_module_mem(dom, m.p, m.bytes, cmdline);

    if (!rc && cut_when && !strcmp(path, cut_when[0])) {
        if (strcmp(cut_when[1], "during"))
            empty(path);
        else
            cut = m;
    }
    return rc;
}

int main(int argc, char **argv)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, XC_OPENFLAG_DUMMY);
    struct xc_dom_image *dom;
    struct mapping first;
    int rc;

    if (argc < 4 || argc == 7 || !xch)
        return 64;
    dom = xc_dom_allocate(xch, argv[3], NULL);
    if (!dom)
        return 71;
    dom->container_type = XC_DOM_HVM_CONTAINER;
    snprintf(dom->xen_caps, sizeof(dom->xen_caps), "hvm-3.0-x86_32 hvm-3.0-x86_64"); /* what Xen says it can run */
    first = map(argv[2]);
    rc = strcmp(argv[1], "memory") ? xc_dom_kernel_file(dom, argv[2]) : xc_dom_kernel_mem(dom, first.p, first.bytes);
    for (int i = 4; !rc && i < argc && i < 6; i++)
        rc = hand_over(dom, argv[i], i == 4 && !strcmp(argv[1], "shim") ? "" : NULL, argc > 7 ? argv + 6 : NULL);
    if (!rc)
        rc = xc_dom_parse_image(dom);
    printf("%s\n", rc ? "refused" : dom->guest_type);
    xc_dom_release(dom);
    xc_interface_close(xch);
    return 0;
}
