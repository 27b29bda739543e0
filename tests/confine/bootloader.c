/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * bootloader file|memory STUB CMDLINE [RAMDISK]: hand libxenguest a PVH domain's kernel as libxl does, either the file
 * the administrator named or the memory a bootloader found on the guest's disk, and print who loads it.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xenctrl.h>

#include <xenguest.h>

static void *read_file(const char *path, size_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st))
        err(70, "%s", path);
    *bytes = (size_t)st.st_size;
    p = malloc(*bytes);
    if (!p || read(fd, p, *bytes) != (ssize_t)*bytes)
        err(70, "%s", path);
    close(fd);
    return p;
}

int main(int argc, char **argv)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, XC_OPENFLAG_DUMMY);
    struct xc_dom_image *dom;
    void *kernel, *ramdisk;
    size_t bytes;
    int rc;

    if (argc < 4 || !xch)
        return 64;
    dom = xc_dom_allocate(xch, argv[3], NULL);
    if (!dom)
        return 71;
    dom->container_type = XC_DOM_HVM_CONTAINER;
    snprintf(dom->xen_caps, sizeof(dom->xen_caps), "hvm-3.0-x86_32 hvm-3.0-x86_64"); /* what Xen says it can run */
    kernel = read_file(argv[2], &bytes);
    rc = strcmp(argv[1], "file") ? xc_dom_kernel_mem(dom, kernel, bytes) : xc_dom_kernel_file(dom, argv[2]);
    if (!rc && argc > 4) {
        ramdisk = read_file(argv[4], &bytes);
        rc = xc_dom_module_mem(dom, ramdisk, bytes, NULL);
    }
    if (!rc)
        rc = xc_dom_parse_image(dom);
    printf("%s\n", rc ? "refused" : dom->guest_type);
    xc_dom_release(dom);
    free(kernel);
    xc_interface_close(xch);
    return 0;
}
