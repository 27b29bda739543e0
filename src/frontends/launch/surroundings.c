/* SPDX-License-Identifier: LGPL-2.1-only */
/* What there is in this domain beside Xen's libraries: sockets, devices, files.  Tests stand in for it. */
#include "../../config/config.h"
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>
#include <xen/sys/xenbus_dev.h>

/* libxenstore.so has it, and its header has not. */
const char *xs_daemon_socket(void);

bool launch_daemon_answers(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    const char *path = xs_daemon_socket();
    int fd, r;

    if (!path || strlen(path) >= sizeof(a.sun_path))
        return false;
    strcpy(a.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    r = connect(fd, (const struct sockaddr *)&a, sizeof(a));
    close(fd);
    return !r;
}

void launch_sleep(int ms)
{
    poll(NULL, 0, ms);
}

/* Linux drivers/xen/xenbus/xenbus_dev_backend.c. */
int launch_xenbus_setup(uint32_t domid)
{
    int fd = open("/dev/xen/xenbus_backend", O_RDWR | O_CLOEXEC), port, r;

    if (fd < 0)
        return -1;
    port = ioctl(fd, IOCTL_XENBUS_BACKEND_SETUP, (unsigned long)domid);
    r = errno;
    close(fd);
    errno = r;
    return port;
}

/* To list "/", in which there is something.  Spec: Xen public io/xs_wire.h. */
int launch_xenbus_ask(void)
{
    const struct {
        struct xsd_sockmsg head;
        char root[2];
    } __attribute__((packed)) request = { { .type = XS_DIRECTORY, .len = 2 }, "/" };
    int fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC), r;

    if (fd < 0 || write(fd, &request, sizeof(request)) == (ssize_t)sizeof(request))
        return fd;
    r = errno;
    close(fd);
    errno = r;
    return -1;
}

bool launch_noted_store(uint32_t *domid)
{
    return pvb_store_noted(domid);
}

int launch_note(const char *path, const char *text, size_t n, unsigned int mode, struct pvboot_error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode), r;

    if (fd < 0)
        return pvb_in_file(e, path, pvb_fail(e, PVBOOT_E_HOST, "cannot be made: errno %d", errno));
    r = write(fd, text, n) == (ssize_t)n ? 0 : errno;
    if (close(fd) && !r)
        r = errno;
    return r ? pvb_in_file(e, path, pvb_fail(e, PVBOOT_E_HOST, "cannot be written: errno %d", r)) : 0;
}
