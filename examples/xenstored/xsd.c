/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Preloaded into a stock xenstored that runs outside dom0: the two files by which dom0's kernel tells it where dom0's ring
 * is.  The port is that of the command line, in $XSD_EVENT; the page is granted to this domain under the first of the
 * reserved references.
 *
 *   cc -shared -fPIC -o xsd.so xsd.c;  LD_PRELOAD=./xsd.so XSD_EVENT=5 xenstored -N
 *
 * Spec: Linux include/uapi/xen/gntdev.h; Xen public grant_table.h (GNTTAB_RESERVED_XENSTORE).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
typedef uint16_t domid_t;
typedef uint32_t grant_ref_t;
#include <xen/gntdev.h>

#define DOM0 0
#define RESERVED_XENSTORE 1

static int really_open(const char *path, int flags, int mode)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* A pipe with the number in it. */
static int port(void)
{
    const char *event = getenv("XSD_EVENT");
    int end[2];

    if (!event || !*event) {
        errno = ENOENT;
        return -1;
    }
    if (pipe(end))
        return -1;
    if (write(end[1], event, strlen(event)) < 0) {
        close(end[0]);
        end[0] = -1;
    }
    close(end[1]);
    return end[0];
}

/* The grant device, with the page at offset 0, where xenstored will map it. */
static int page(void)
{
    struct ioctl_gntdev_map_grant_ref map = { .count = 1, .refs = { { .domid = DOM0, .ref = RESERVED_XENSTORE } } };
    int fd = really_open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (!ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &map) && !map.index)
        return fd;
    close(fd);
    return -1;
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    int mode;

    if (!strcmp(path, "/proc/xen/xsd_port"))
        return port();
    if (!strcmp(path, "/proc/xen/xsd_kva"))
        return page();
    va_start(ap, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
    va_end(ap);
    return really_open(path, flags, mode);
}
