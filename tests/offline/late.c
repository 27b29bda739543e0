/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * late DRIVER.SO ARGUMENT...: the driver, in a program that has neither libxl nor libxenguest when it starts and opens
 * them later in a scope of their own, as libvirtd does.  The fake hypervisor is this program's.
 */
#include <dlfcn.h>
#include <err.h>
#include <stddef.h>

int main(int argc, char **argv)
{
    void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    int (*driver)(int argc, char **argv) = lib ? (int (*)(int, char **))dlsym(lib, "main") : NULL;

    if (!driver)
        errx(70, "%s", dlerror());
    return driver(argc - 1, argv + 1);
}
