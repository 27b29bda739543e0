/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One domain built by the stock libxenguest of this machine on the fake hypervisor, with the calls and in the order of
 * libxl 4.17 (tools/libs/light: libxl__build_hvm, libxl__build_pv, libxl__build_dom, libxl__dom_load_acpi,
 * domain_construct_memmap).
 */
#ifndef OFFLINE_BUILD_H
#define OFFLINE_BUILD_H

#include "../fake/fake.h"

#include <xenguest.h>

enum offline_kind {
    OFFLINE_SHIM, /* type="pvh" with pvshim=1: the shim is the kernel, the kernel the first module */
    OFFLINE_PVH,
    OFFLINE_PV,
    OFFLINE_HVM, /* with a device model: the kernel is its firmware, the ramdisk its boot ROM */
};

struct offline_case {
    enum offline_kind kind;
    const char *shim, *shim_cmdline;
    const char *kernel, *cmdline;
    const char *ramdisk; /* NULL: none */
    bool in_memory;      /* kernel and ramdisk as a bootloader hands them over */
    bool
        no_guest_cmdline; /* a shim's kernel without one, where @cmdline is NULL; else it is empty, as in our configs */
    bool claim, vnuma;
    unsigned int memory_mib, maxmem_mib, vcpus;
    unsigned int console_port, xenstore_port;
};

#define OFFLINE_E820_MAX 8u

struct offline_result {
    const char *failed; /* the call that ended it; NULL: built */
    int rc;
    uint64_t console_pfn, xenstore_pfn;
    unsigned int e820_entries;
    struct e820entry e820[OFFLINE_E820_MAX];
};

/* A new domain on a host with memory to spare; @memory_path as in fake.h. */
void offline_begin(const struct offline_case *c, const char *memory_path);
/* Build it. Returns r->rc; everything of libxenguest's is released. */
int offline_build(xc_interface *xch, const struct offline_case *c, struct offline_result *r);

/*
 * From here on the plugin's loader and hooks run inside fault_enter()..fault_leave().  Leaves a loader of its own in
 * libxenguest's list.  False: no plugin is loaded.
 */
bool offline_gate_plugin(void);

#endif
