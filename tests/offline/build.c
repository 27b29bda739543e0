/* SPDX-License-Identifier: LGPL-2.1-only */
#include "build.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define HOLE_START 0xfc000000ull /* ACPI_INFO_PHYSICAL_ADDRESS: the lowest of what libxl keeps below 4 GiB */
#define TABLE_PAGES 7u           /* of ACPI tables, as Debian's libxl 4.17 makes them for up to 8 vCPUs */
#define RSDP_BYTES 64u
#define SLACK_MIB 1u /* libxl__build_pre: xc_domain_setmaxmem(target + 1024 KiB) */

struct build {
    xc_interface *xch;
    const struct offline_case *c;
    struct offline_result *r;
    struct xc_dom_image *dom;
    void *blob[2];
};

void offline_begin(const struct offline_case *c, const char *memory_path)
{
    const struct fake_setup setup = {
        .max_pages = (c->memory_mib + SLACK_MIB) * (MIB / FAKE_PAGE),
        .host_pages = 64 * GIB / FAKE_PAGE,
        .max_order = 18,
        .vcpus = c->vcpus,
        .memory_path = memory_path,
    };

    fake_begin(&setup);
}

static void *read_file(const char *path, size_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st))
        err(70, "%s", path);
    *bytes = (size_t)st.st_size;
    p = malloc(*bytes + 1);
    if (!p || read(fd, p, *bytes) != (ssize_t)*bytes)
        err(70, "%s", path);
    close(fd);
    return p;
}

static int add_module(struct build *b, unsigned int i, const char *path, const char *cmdline)
{
    size_t bytes;
    int rc;

    if (b->c->in_memory) {
        b->blob[i] = read_file(path, &bytes);
        return xc_dom_module_mem(b->dom, b->blob[i], bytes, cmdline);
    }
    fault_enter(); /* the plugin stands in front of this one */
    rc = xc_dom_module_file(b->dom, path, cmdline);
    fault_leave();
    return rc;
}

static int load_kernel(struct build *b)
{
    bool shim = b->c->kind == OFFLINE_SHIM;
    size_t bytes;

    if (shim || !b->c->in_memory)
        return xc_dom_kernel_file(b->dom, shim ? b->c->shim : b->c->kernel);
    b->blob[0] = read_file(b->c->kernel, &bytes);
    return xc_dom_kernel_mem(b->dom, b->blob[0], bytes);
}

static int load_modules(struct build *b)
{
    const struct offline_case *c = b->c;
    int rc = 0;

    if (c->kind == OFFLINE_SHIM)
        rc = add_module(b, 0, c->kernel, c->cmdline || c->no_guest_cmdline ? c->cmdline : "");
    if (!rc && c->ramdisk)
        rc = add_module(b, 1, c->ramdisk, c->kind == OFFLINE_HVM ? "ipxe" : NULL);
    return rc;
}

static int describe(struct build *b)
{
    struct xc_dom_image *dom = b->dom;
    uint64_t bytes = b->c->maxmem_mib * MIB;

    dom->console_evtchn = b->c->console_port;
    dom->xenstore_evtchn = b->c->xenstore_port;
    dom->claim_enabled = b->c->claim;
    dom->max_vcpus = b->c->vcpus;
    dom->nr_vmemranges = b->c->vnuma; /* how many is all that a builder without virtual NUMA looks at */
    if (b->c->kind == OFFLINE_PV)
        return 0;
    dom->target_pages = b->c->memory_mib * (MIB / FAKE_PAGE);
    dom->device_model = b->c->kind == OFFLINE_HVM;
    dom->mmio_start = HOLE_START;
    dom->mmio_size = 4 * GIB - HOLE_START;
    dom->lowmem_end = bytes < HOLE_START ? bytes : HOLE_START;
    dom->highmem_end = bytes > HOLE_START ? 4 * GIB + (bytes - HOLE_START) : 0;
    return 0;
}

static int boot_xen_init(struct build *b)
{
    return xc_dom_boot_xen_init(b->dom, b->xch, FAKE_DOMID);
}

static int parse_image(struct build *b)
{
    return xc_dom_parse_image(b->dom);
}

static int mem_init(struct build *b)
{
    return xc_dom_mem_init(b->dom, b->c->maxmem_mib);
}

static int boot_mem_init(struct build *b)
{
    return xc_dom_boot_mem_init(b->dom);
}

/* Tables of recognisable bytes in place of ACPI's, where libxl__dom_load_acpi() puts them. */
static void load_acpi(struct xc_dom_image *dom)
{
    static _Thread_local uint8_t rsdp[RSDP_BYTES], info[FAKE_PAGE], tables[TABLE_PAGES * FAKE_PAGE];

    memset(rsdp, 0xa1, sizeof(rsdp));
    memset(info, 0xa2, sizeof(info));
    memset(tables, 0xa3, sizeof(tables));
    dom->acpi_modules[0] =
        (struct xc_hvm_firmware_module){ rsdp, sizeof(rsdp), HOLE_START + FAKE_PAGE + sizeof(tables) };
    dom->acpi_modules[1] = (struct xc_hvm_firmware_module){ info, sizeof(info), HOLE_START };
    dom->acpi_modules[2] = (struct xc_hvm_firmware_module){ tables, sizeof(tables), HOLE_START + FAKE_PAGE };
}

static void add_e820(struct offline_result *r, uint64_t addr, uint64_t size, uint32_t type)
{
    if (r->e820_entries == OFFLINE_E820_MAX)
        errx(70, "more than %u e820 entries", OFFLINE_E820_MAX);
    r->e820[r->e820_entries++] = (struct e820entry){ addr, size, type };
}

static int hw_description(struct build *b)
{
    const uint64_t special = X86_HVM_NR_SPECIAL_PAGES * FAKE_PAGE;
    struct xc_dom_image *dom = b->dom;
    struct offline_result *r = b->r;

    if (b->c->kind == OFFLINE_PV)
        return 0;
    load_acpi(dom);
    add_e820(r, 0, dom->lowmem_end, E820_RAM);
    add_e820(r, X86_HVM_END_SPECIAL_REGION * FAKE_PAGE - special, special, E820_RESERVED);
    for (unsigned int i = 0; i < 3; i++)
        add_e820(r, dom->acpi_modules[i].guest_addr_out & ~(FAKE_PAGE - 1),
                 dom->acpi_modules[i].length + (dom->acpi_modules[i].guest_addr_out & (FAKE_PAGE - 1)), E820_ACPI);
    if (dom->highmem_end)
        add_e820(r, 4 * GIB, dom->highmem_end - 4 * GIB, E820_RAM);
    dom->e820 = r->e820;
    dom->e820_entries = r->e820_entries;
    return 0;
}

static int build_image(struct build *b)
{
    return xc_dom_build_image(b->dom);
}

static int boot_image(struct build *b)
{
    return xc_dom_boot_image(b->dom);
}

static int gnttab_init(struct build *b)
{
    return xc_dom_gnttab_init(b->dom);
}

static const struct {
    const char *name;
    int (*run)(struct build *b);
} stage[] = {
    { "xc_dom_kernel_file", load_kernel },
    { "xc_dom_module_file", load_modules },
    { "describe", describe },
    { "xc_dom_boot_xen_init", boot_xen_init },
    { "xc_dom_parse_image", parse_image },
    { "xc_dom_mem_init", mem_init },
    { "xc_dom_boot_mem_init", boot_mem_init },
    { "finalise_hw_description", hw_description },
    { "xc_dom_build_image", build_image },
    { "xc_dom_boot_image", boot_image },
    { "xc_dom_gnttab_init", gnttab_init },
};

int offline_build(xc_interface *xch, const struct offline_case *c, struct offline_result *r)
{
    struct build b = { .xch = xch, .c = c, .r = r };

    *r = (struct offline_result){ 0 };
    b.dom = xc_dom_allocate(xch, c->kind == OFFLINE_SHIM ? c->shim_cmdline : c->cmdline, NULL);
    if (!b.dom)
        errx(70, "xc_dom_allocate");
    b.dom->container_type = c->kind == OFFLINE_PV ? XC_DOM_PV_CONTAINER : XC_DOM_HVM_CONTAINER;
    for (size_t i = 0; !r->rc && i < sizeof(stage) / sizeof(stage[0]); i++) {
        r->rc = stage[i].run(&b);
        if (r->rc)
            r->failed = stage[i].name;
    }
    r->console_pfn = b.dom->console_pfn;
    r->xenstore_pfn = b.dom->xenstore_pfn;
    xc_dom_release(b.dom);
    free(b.blob[0]);
    free(b.blob[1]);
    return r->rc;
}
