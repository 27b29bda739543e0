/* SPDX-License-Identifier: LGPL-2.1-only */
/* A legal plan, one thing in it broken: the check must say which rule. */
#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define LINUX64 PVBOOT_PATH_LINUX64
#define LINUX32 PVBOOT_PATH_LINUX32
#define VMLINUX PVBOOT_PATH_VMLINUX64
#define PVH PVBOOT_PATH_PVH

static struct pvboot_plan p; /* under the knife */
static struct pvboot_image img;

static struct pvboot_segment *seg(enum pvboot_segment_id id)
{
    return &p.seg[id];
}

static void move(enum pvboot_segment_id id, uint64_t start)
{
    uint64_t bytes = seg(id)->end - seg(id)->start;

    seg(id)->start = start;
    seg(id)->end = start + bytes;
}

/* The map. */
static void e820_isa_is_ram(void)
{
    p.e820 = p.machine.map;
}
static void e820_short(void)
{
    p.e820.r[p.e820.n - 1].end -= 4096;
}
static void e820_first_gone(void)
{
    memmove(&p.e820.r[0], &p.e820.r[1], --p.e820.n * sizeof(p.e820.r[0]));
}
static void e820_more_ram(void)
{
    p.e820.r[p.e820.n - 1].end += 4096;
}
static void e820_type(void)
{
    p.e820.r[3].type = PVBOOT_RAM; /* ACPI */
}
static void e820_order(void)
{
    struct pvboot_range r = p.e820.r[0];

    p.e820.r[0] = p.e820.r[1];
    p.e820.r[1] = r;
}
static void map_overlaps(void)
{
    p.machine.map.r[0].end = p.machine.map.r[1].start + 1;
}
static void pvh_isa_reserved(void)
{
    struct pvboot_error e = { 0 };

    (void)pvboot_memmap_set(&p.e820, 0xa0000, 0x100000, PVBOOT_RESERVED, &e);
}

/* Segments as such. */
static void no_zero_page(void)
{
    *seg(PVBOOT_SEG_ZERO_PAGE) = (struct pvboot_segment){ 0 };
}
static void no_kernel(void)
{
    *seg(PVBOOT_SEG_KERNEL) = (struct pvboot_segment){ 0 };
}
static void no_cmdline(void)
{
    *seg(PVBOOT_SEG_CMDLINE) = (struct pvboot_segment){ 0 };
}
static void no_start_info(void)
{
    *seg(PVBOOT_SEG_START_INFO) = (struct pvboot_segment){ 0 };
}
static void extra_start_info(void)
{
    *seg(PVBOOT_SEG_START_INFO) = *seg(PVBOOT_SEG_GDT);
    move(PVBOOT_SEG_START_INFO, 0x200000);
}
static void extra_page_tables(void)
{
    *seg(PVBOOT_SEG_PAGE_TABLES) = *seg(PVBOOT_SEG_GDT);
    move(PVBOOT_SEG_PAGE_TABLES, 0x200000);
}
static void backwards(void)
{
    seg(PVBOOT_SEG_GDT)->end = seg(PVBOOT_SEG_GDT)->start - 4096;
}
static void unaligned(void)
{
    seg(PVBOOT_SEG_RAMDISK)->start += 512;
}
static void overfull(void)
{
    seg(PVBOOT_SEG_SETUP_DATA)->bytes = 4097;
}
static void no_reason(void)
{
    seg(PVBOOT_SEG_GDT)->why[0] = '\0';
}
static void endless_reason(void)
{
    memset(seg(PVBOOT_SEG_GDT)->why, 'x', sizeof(seg(PVBOOT_SEG_GDT)->why));
}

/* Where they lie. */
static void ramdisk_in_window(void)
{
    move(PVBOOT_SEG_RAMDISK, seg(PVBOOT_SEG_KERNEL)->end - 4096);
}
static void setup_data_in_window(void)
{
    move(PVBOOT_SEG_SETUP_DATA, seg(PVBOOT_SEG_KERNEL)->start + 0x2000000); /* behind what is loaded */
}
static void gdt_on_zero_page(void)
{
    move(PVBOOT_SEG_GDT, seg(PVBOOT_SEG_ZERO_PAGE)->start);
}
static void ramdisk_past_ram(void)
{
    move(PVBOOT_SEG_RAMDISK, 0x144000000 - 4096); /* where 5 GiB of guest end */
}
static void cmdline_in_hole(void)
{
    move(PVBOOT_SEG_CMDLINE, 0xfd000000);
}
static void cmdline_on_special(void)
{
    move(PVBOOT_SEG_CMDLINE, 0xfeff8000);
}
static void zero_page_low(void)
{
    move(PVBOOT_SEG_ZERO_PAGE, 0x90000);
}
static void acpi_in_ram(void)
{
    move(PVBOOT_SEG_ACPI, 0x800000);
}
static void special_elsewhere(void)
{
    move(PVBOOT_SEG_SPECIAL, 0xfeff7000);
}
static void rsdp_elsewhere(void)
{
    p.machine.rsdp_gpa = 0xfc010000;
}
static void rsdp_in_ram(void)
{
    p.machine.rsdp_gpa = 0xf0000;
}
static void many_vcpus(void)
{
    p.machine.vcpus = 129;
}
static void gdt_above_4g(void)
{
    move(PVBOOT_SEG_GDT, 0x100000000);
}
static void ramdisk_above_4g(void)
{
    move(PVBOOT_SEG_RAMDISK, 0x100000000);
}
static void ramdisk_over_max(void)
{
    move(PVBOOT_SEG_RAMDISK, 0x80000000);
}
static void ramdisk_over_max_by_header(void)
{
    img.bz.initrd_addr_max = seg(PVBOOT_SEG_RAMDISK)->start + seg(PVBOOT_SEG_RAMDISK)->bytes - 2;
}

/* Command line. */
static void cmdline_long(void)
{
    img.bz.cmdline_max = (uint32_t)seg(PVBOOT_SEG_CMDLINE)->bytes - 2;
}

/* The kernel. */
static void window_short(void)
{
    seg(PVBOOT_SEG_KERNEL)->end -= 4096;
}
static void window_low(void)
{
    move(PVBOOT_SEG_KERNEL, 0xe00000);
    p.kernel_load_gpa = 0xe00000;
    p.vcpu.rip = 0xe00200;
}
static void window_odd(void)
{
    move(PVBOOT_SEG_KERNEL, 0x1001000);
    p.kernel_load_gpa = 0x1001000;
    p.vcpu.rip = 0x1001200;
}
static void window_moved_fixed(void)
{
    img.bz.window.relocatable = false;
    move(PVBOOT_SEG_KERNEL, 0x1200000);
    p.kernel_load_gpa = 0x1200000;
    p.vcpu.rip = 0x1200200;
}
static void load_elsewhere(void)
{
    p.kernel_load_gpa += 4096;
}
static void load_too_much(void)
{
    p.kernel_load_bytes++;
}
static void bzimage_delta(void)
{
    p.elf_delta = 0x200000;
}
static void elf_delta_alone(void)
{
    p.elf_delta = 0x200000;
}
static void elf_moved(uint64_t by)
{
    move(PVBOOT_SEG_KERNEL, 0x1000000 + by);
    p.kernel_load_gpa += by;
    p.elf_delta = (int64_t)by;
    p.vcpu.rip += by;
}
static void vmlinux_odd(void)
{
    elf_moved(0x100000);
}
static void vmlinux_moved_fixed(void)
{
    img.bz.window.relocatable = false;
    elf_moved(0x200000);
}
static void pvh_moved(void)
{
    elf_moved(0x200000);
}
static void pvh_moved_over_max(void)
{
    img = fixture_movable(0x200000, 0x1000000, 0x4bffffe);
    elf_moved(0x200000);
}
static void pvh_moved_under_min(void)
{
    img = fixture_movable(0x200000, 0x1200001, 0xffffffff);
    elf_moved(0x200000);
}
static void pvh_moved_odd(void)
{
    img = fixture_movable(0x400000, 0x1000000, 0xffffffff);
    elf_moved(0x200000);
}
static void elf_span_short(void)
{
    seg(PVBOOT_SEG_KERNEL)->bytes -= 4096;
    seg(PVBOOT_SEG_KERNEL)->end -= 4096;
}

/* The vCPU. */
static void rip_32(void)
{
    p.vcpu.rip -= 0x200;
}
static void rip_in_bss(void)
{
    img.elf.notes.phys32_entry = 0x1000000 + 0x18ea9f0; /* the first byte behind the first segment */
    p.vcpu.rip = img.elf.notes.phys32_entry;
}
static void path_not_offered(void)
{
    img.bz.xloadflags &= (uint16_t)~1u;
}
static void path_auto(void)
{
    p.path = PVBOOT_PATH_AUTO;
}
static void mode_32(void)
{
    p.vcpu.mode = 32;
}
static void rsi_off(void)
{
    p.vcpu.rsi = seg(PVBOOT_SEG_SETUP_DATA)->start;
}
static void rbx_off(void)
{
    p.vcpu.rbx = seg(PVBOOT_SEG_CMDLINE)->start;
}
static void rbx_set(void)
{
    p.vcpu.rbx = 1; /* boot.rst: must be zero */
}
static void paging_off(void)
{
    p.vcpu.cr0 = 0x11;
}
static void paging_on(void)
{
    p.vcpu.cr0 = 0x80000011;
}
static void cr3_off(void)
{
    p.vcpu.cr3 += 4096;
}
static void no_pae(void)
{
    p.vcpu.cr4 = 0;
}
static void la57(void)
{
    p.vcpu.cr4 |= 1u << 12;
}
static void no_lma(void)
{
    p.vcpu.efer = 0x100;
}
static void cs_off(void)
{
    p.vcpu.cs = 8;
}
static void ds_off(void)
{
    p.vcpu.ds = 0x10;
}
static void gdt_off(void)
{
    p.vcpu.gdt_gpa += 4096;
}
static void gdt_short(void)
{
    p.vcpu.gdt_limit = 0x17;
    seg(PVBOOT_SEG_GDT)->bytes = 0x18;
}
static void few_page_tables(void)
{
    seg(PVBOOT_SEG_PAGE_TABLES)->bytes -= 4096;
}

/* Subarch and node. */
static void pvh_subarch(void)
{
    p.subarch = 2;
}
static void old_subarch(void)
{
    img.bz.protocol = 0x0206;
    p.subarch = 2;
    p.subarch_data = p.handover_gpa;
}
static void data_without_subarch(void)
{
    p.subarch_data = p.handover_gpa;
}
static void data_elsewhere(void)
{
    p.subarch = 2;
    p.subarch_data = p.handover_gpa + 16;
}
static void node_elsewhere(void)
{
    p.handover_gpa = seg(PVBOOT_SEG_ZERO_PAGE)->start;
}
static void node_odd(void)
{
    p.handover_gpa += 4;
}

static const struct {
    enum pvboot_path path;
    void (*harm)(void);
    const char *rule; /* part of the sentence */
} row[] = {
    { LINUX64, e820_isa_is_ram, "e820 is wrong at 0xa0000" },
    { LINUX64, e820_short, "e820 is wrong around" },
    { LINUX64, e820_first_gone, "e820 is wrong at 0x0" },
    { LINUX64, e820_more_ram, "e820 is wrong around" },
    { LINUX64, e820_type, "e820 is wrong around" },
    { LINUX64, e820_order, "e820 is not ascending" },
    { LINUX64, map_overlaps, "memory map is not ascending" },
    { PVH, pvh_isa_reserved, "e820 is wrong" },
    { LINUX64, no_zero_page, "needs a segment for zero page" },
    { LINUX64, no_kernel, "needs a segment for kernel" },
    { LINUX64, no_cmdline, "needs a segment for cmdline" },
    { PVH, no_start_info, "needs a segment for start info" },
    { LINUX64, extra_start_info, "no use for start info" },
    { LINUX32, extra_page_tables, "no use for page tables" },
    { LINUX64, backwards, "gdt at 0x103000..0x102000 is not whole pages" },
    { LINUX64, unaligned, "is not whole pages" },
    { LINUX64, overfull, "setup_data writes 4097 bytes" },
    { LINUX64, no_reason, "gdt lies somewhere without a reason" },
    { LINUX64, endless_reason, "gdt lies somewhere without a reason" },
    { LINUX64, ramdisk_in_window, "kernel and ramdisk overlap" },
    { LINUX64, setup_data_in_window, "kernel and setup_data overlap at 0x3000000" },
    { LINUX64, gdt_on_zero_page, "zero page and gdt overlap" },
    { LINUX64, ramdisk_past_ram, "4096 of ramdisk's 102400 bytes are RAM" },
    { LINUX64, cmdline_in_hole, "0 of cmdline's 4096 bytes are RAM" },
    { LINUX64, cmdline_on_special, "cmdline and special pages overlap" },
    { LINUX64, zero_page_low, "zero page lies below 1 MiB" },
    { LINUX64, acpi_in_ram, "of acpi's 32832 bytes are RAM" },
    { LINUX64, special_elsewhere, "special pages are not where the machine has them" },
    { LINUX64, rsdp_elsewhere, "outside the ACPI segment" },
    { LINUX64, rsdp_in_ram, "the RSDP at 0xf0000 lies in RAM" },
    { LINUX64, many_vcpus, "129 vCPUs" },
    { LINUX64, gdt_above_4g, "gdt ends above 4 GiB" },
    { LINUX32, ramdisk_above_4g, "ramdisk ends above 4 GiB" },
    { PVH, ramdisk_above_4g, "ramdisk ends above 4 GiB" },
    { LINUX32, ramdisk_over_max, "is above initrd_addr_max 0x7fffffff" },
    { LINUX32, ramdisk_over_max_by_header, "is above initrd_addr_max" },
    { LINUX64, cmdline_long, "command line of 12 bytes" },
    { LINUX64, window_short, "kernel window has 66678784 bytes, init_size is 66682880" },
    { LINUX64, window_low, "loaded at 0xe00000" },
    { LINUX64, window_odd, "loaded at 0x1001000" },
    { LINUX64, window_moved_fixed, "fixed pref_address 0x1000000 loaded at 0x1200000" },
    { LINUX64, load_elsewhere, "its window starts at" },
    { LINUX64, load_too_much, "loads 8225281 bytes" },
    { LINUX64, bzimage_delta, "loads 8225280 bytes" },
    { VMLINUX, elf_delta_alone, "is not at 0x1000000" },
    { VMLINUX, vmlinux_odd, "cannot be moved" },
    { VMLINUX, vmlinux_moved_fixed, "cannot be moved" },
    { PVH, pvh_moved, "cannot be moved" },
    { PVH, pvh_moved_over_max, "cannot be moved" },
    { PVH, pvh_moved_under_min, "cannot be moved" },
    { PVH, pvh_moved_odd, "cannot be moved" },
    { VMLINUX, elf_span_short, "PT_LOAD 3 at 0x3079000 is outside the kernel segment" },
    { LINUX64, rip_32, "rip 0x1000000 is not the kernel's entry" },
    { PVH, rip_in_bss, "is not the kernel's entry" },
    { LINUX64, path_not_offered, "which the kernel does not offer" },
    { LINUX64, path_auto, "path 0, which the kernel does not offer" },
    { LINUX64, mode_32, "mode is 0x20, this entry wants 0x40" },
    { LINUX64, rsi_off, "rsi is 0x102000, this entry wants 0x100000" },
    { PVH, rbx_off, "rbx is 0x100000, this entry wants 0x101000" },
    { LINUX32, rbx_set, "rbx is 0x1, this entry wants 0x0" },
    { LINUX64, paging_off, "cr0 is 0x11" },
    { LINUX32, paging_on, "cr0 is 0x80000011" },
    { LINUX64, cr3_off, "cr3 is 0x105000" },
    { LINUX64, no_pae, "cr4 is 0x0" },
    { LINUX64, la57, "cr4 is 0x1020" },
    { LINUX64, no_lma, "efer is 0x100" },
    { LINUX32, cs_off, "cs is 0x8" },
    { LINUX32, ds_off, "ds is 0x10" },
    { LINUX32, gdt_off, "GDT is 0x104000" },
    { LINUX32, gdt_short, "ends before selector 0x18" },
    { LINUX64, few_page_tables, "page tables of 20480 bytes, an identity map needs 24576" },
    { PVH, pvh_subarch, "subarch 2 has no field" },
    { LINUX32, old_subarch, "subarch 2 has no field" },
    { LINUX64, data_without_subarch, "for subarch 0" },
    { LINUX64, data_elsewhere, "for subarch 2" },
    { LINUX64, node_elsewhere, "is outside setup_data" },
    { LINUX64, node_odd, "is outside setup_data" },
};

/* 5 GiB, so that there is RAM to be wrong in on both sides of 4 GiB. */
static void plan_afresh(enum pvboot_path path)
{
    struct pvboot_machine m = fixture_machine(5 * GIB);
    struct pvboot_request req = fixture_request(path, "console=hvc0", 100000);
    struct pvboot_error e = { 0 };

    img = fixture_amd64();
    if (path == LINUX32)
        img.bz.xloadflags = 0; /* initrd_addr_max counts */
    if (pvboot_plan_make(&p, &img, &m, &req, &e) || pvboot_plan_check(&p, &img, &e))
        fail_msg("%s: %s", pvboot_path_name(path), e.text);
}

static void test_mutations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 };
        int rc;

        plan_afresh(row[i].path);
        row[i].harm();
        rc = pvboot_plan_check(&p, &img, &e);
        if (rc != -PVBOOT_E_INTERNAL || e.code != PVBOOT_E_INTERNAL || !strstr(e.text, row[i].rule))
            fail_msg("row %zu: rc %d, '%s', should be '%s'", i, rc, e.text, row[i].rule);
    }
}

/* What no plan of ours does, but the protocols allow: the check is about the law, not about our habits. */
static void test_legal_otherwise(void **state)
{
    struct pvboot_error e = { 0 };

    (void)state;
    plan_afresh(LINUX64);
    move(PVBOOT_SEG_RAMDISK, 0x100000000);
    seg(PVBOOT_SEG_PAGE_TABLES)->end += 4096; /* a directory for GiB 4 */
    seg(PVBOOT_SEG_PAGE_TABLES)->bytes += 4096;
    assert_int_equal(pvboot_plan_check(&p, &img, &e), 0);
    plan_afresh(LINUX64);
    move(PVBOOT_SEG_ZERO_PAGE, 0x10000000);
    p.vcpu.rsi = 0x10000000;
    assert_int_equal(pvboot_plan_check(&p, &img, &e), 0);
    plan_afresh(VMLINUX);
    elf_moved(0x3e00000);
    assert_int_equal(pvboot_plan_check(&p, &img, &e), 0);
    plan_afresh(PVH);
    img = fixture_movable(0x200000, 0x1200000, 0x4bfffff); /* to the byte */
    elf_moved(0x200000);
    assert_int_equal(pvboot_plan_check(&p, &img, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_legal_otherwise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
