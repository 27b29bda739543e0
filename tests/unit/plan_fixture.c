/* SPDX-License-Identifier: LGPL-2.1-only */
#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pvboot_bzimage debian_header(uint64_t kernel_bytes, uint16_t xloadflags, const char *version)
{
    struct pvboot_bzimage bz = {
        .protocol = 0x020f,
        .setup_sects = 39,
        .loadflags = 1,
        .xloadflags = xloadflags,
        .code32_start = 0x100000,
        .header_bytes = 0x7b,
        .kernel_off = 40 * 512,
        .kernel_bytes = kernel_bytes,
        .cmdline_max = 2047,
        .initrd_addr_max = 0x7fffffff,
        .setup_type_max = 0x80000009,
    };

    snprintf(bz.kernel_version, sizeof(bz.kernel_version), "%s (debian-kernel@lists.debian.org) #1 SMP", version);
    return bz;
}

static void add_load(struct pvboot_elf *elf, uint64_t gpa, uint64_t file_bytes, uint64_t mem_bytes)
{
    elf->load[elf->n_loads++] = (struct pvboot_load){ .gpa = gpa, .file_bytes = file_bytes, .mem_bytes = mem_bytes };
}

struct pvboot_image fixture_amd64(void)
{
    struct pvboot_image img = { .format = PVBOOT_FORMAT_BZIMAGE, .has_bzimage = true, .has_elf = true };

    img.bz = debian_header(8225280, 0x7f, "6.1.0-56-amd64");
    img.bz.window = (struct pvboot_window){
        .pref_gpa = 0x1000000, .bytes = 0x3f98000, .align = 0x200000, .max_gpa = UINT64_MAX, .relocatable = true
    };
    img.elf = (struct pvboot_elf){ .is64 = true, .machine = 62, .entry_gpa = 0x1000000 };
    img.elf.window =
        (struct pvboot_window){ .pref_gpa = 0x1000000, .bytes = 0x3a00000, .align = 0x200000, .max_gpa = UINT64_MAX };
    add_load(&img.elf, 0x1000000, 0x18ea9f0, 0x18ea9f0);
    add_load(&img.elf, 0x2a00000, 0x644000, 0x644000);
    add_load(&img.elf, 0x3044000, 0x35000, 0x35000);
    add_load(&img.elf, 0x3079000, 0x1987000, 0x1987000);
    img.elf.notes = (struct pvboot_notes){ .has_phys32_entry = true, .phys32_entry = 0x1000850, .guest_os = "linux" };
    return img;
}

struct pvboot_image fixture_pv(void)
{
    struct pvboot_image img = fixture_amd64();
    struct pvboot_notes *n = &img.elf.notes;

    snprintf(n->xen_version, sizeof(n->xen_version), "xen-3.0");
    snprintf(n->loader, sizeof(n->loader), "generic");
    n->pv = (struct pvboot_pv_notes){ .has_entry = true,
                                      .entry_va = FIXTURE_PV_BASE + 0x3044000,
                                      .virt_base = FIXTURE_PV_BASE,
                                      .has_init_p2m = true,
                                      .init_p2m_va = FIXTURE_PV_P2M,
                                      .mod_start_pfn = true };
    return img;
}

struct pvboot_image fixture_686_pae(void)
{
    struct pvboot_image img = { .format = PVBOOT_FORMAT_BZIMAGE, .has_bzimage = true, .has_elf = true };

    img.bz = debian_header(5739008, 4, "6.1.0-50-686-pae");
    img.bz.window = (struct pvboot_window){
        .pref_gpa = 0x1000000, .bytes = 0x1135000, .align = 0x1000000, .max_gpa = UINT32_MAX, .relocatable = true
    };
    img.elf = (struct pvboot_elf){ .machine = 3, .entry_gpa = 0x1000000 };
    img.elf.window =
        (struct pvboot_window){ .pref_gpa = 0x1000000, .bytes = 0x1135000, .align = 0x2000, .max_gpa = UINT64_MAX };
    add_load(&img.elf, 0x1000000, 0xc5094c, 0xc5094c);
    add_load(&img.elf, 0x1c52000, 0x242000, 0x4e3000);
    img.elf.notes = (struct pvboot_notes){ .has_phys32_entry = true, .phys32_entry = 0x10002e0, .guest_os = "linux" };
    return img;
}

struct pvboot_image fixture_old32(void)
{
    struct pvboot_image img = { .format = PVBOOT_FORMAT_BZIMAGE, .has_bzimage = true };

    img.bz = debian_header(2 * MIB, 0, "2.6.26-2-686");
    img.bz.protocol = 0x0209;
    img.bz.setup_type_max = 0;
    img.bz.initrd_addr_max = 0x37ffffff;
    img.bz.window =
        (struct pvboot_window){ .pref_gpa = 0x100000, .bytes = 32 * MIB, .align = 4096, .max_gpa = UINT32_MAX };
    return img;
}

struct pvboot_image fixture_unikernel(void)
{
    struct pvboot_image img = { .format = PVBOOT_FORMAT_ELF, .has_elf = true };

    img.elf = (struct pvboot_elf){ .machine = 3, .entry_gpa = 0x100000 };
    img.elf.window =
        (struct pvboot_window){ .pref_gpa = 0x100000, .bytes = 0x40000, .align = 4096, .max_gpa = UINT64_MAX };
    add_load(&img.elf, 0x100000, 0x30000, 0x40000);
    img.elf.notes = (struct pvboot_notes){ .has_phys32_entry = true, .phys32_entry = 0x100010, .guest_os = "Mini-OS" };
    return img;
}

struct pvboot_image fixture_movable(uint32_t align, uint32_t min, uint32_t max)
{
    struct pvboot_image img = fixture_amd64();

    img.elf.notes.has_phys32_reloc = true;
    img.elf.window.relocatable = true;
    img.elf.window.align = img.elf.notes.reloc_align = align;
    img.elf.window.min_gpa = img.elf.notes.reloc_min = min;
    img.elf.window.max_gpa = img.elf.notes.reloc_max = max;
    return img;
}

struct pvboot_request fixture_request(enum pvboot_path path, const char *cmdline, size_t ramdisk)
{
    struct pvboot_request req;

    pvboot_request_init(&req);
    req.path = path;
    req.cmdline = cmdline;
    if (ramdisk) {
        req.n_ramdisks = 1;
        req.ramdisk[0].len = ramdisk;
    }
    return req;
}

struct pvboot_machine fixture_machine(uint64_t memory)
{
    struct pvboot_machine m;
    struct pvboot_error e = { 0 };

    if (pvboot_machine_default(&m, memory, 1, &e)) {
        fprintf(stderr, "fixture: %s\n", e.text);
        abort();
    }
    return m;
}

struct pvboot_machine fixture_pv_machine(uint64_t memory)
{
    struct pvboot_error e = { 0 };
    struct pvboot_machine m;

    if (pvboot_machine_pv(&m, memory, 1, &e)) {
        fprintf(stderr, "fixture: %s\n", e.text);
        abort();
    }
    return m;
}

struct pvboot_machine fixture_map(const struct pvboot_range *r)
{
    struct pvboot_machine m = { .vcpus = 1 };

    while (r[m.map.n].end) {
        m.map.r[m.map.n] = r[m.map.n];
        m.map.n++;
    }
    return m;
}

struct pvboot_plan plan;
struct pvboot_error refusal;

bool can_plan(enum pvboot_path path)
{
#ifdef HAVE_XEN
    (void)path;
    return true;
#else
    return path != PVBOOT_PATH_PVH && path != PVBOOT_PATH_STUB && path != PVBOOT_PATH_PV;
#endif
}

int make_plan(const struct pvboot_image *img, const struct pvboot_machine *m, const struct pvboot_request *req)
{
    static const struct pvboot_plan empty;
    int rc;

    memset(&plan, 0x5a, sizeof(plan));
    memset(&refusal, 0, sizeof(refusal));
    rc = pvboot_plan_make(&plan, img, m, req, &refusal);
    assert_int_equal(refusal.code, -rc);
    if (rc)
        assert_memory_equal(&plan, &empty, sizeof(empty));
    else if (pvboot_plan_check(&plan, img, &refusal))
        fail_msg("check: %s", refusal.text);
    return rc;
}
