/* SPDX-License-Identifier: LGPL-2.1-only */
/* A legal plan, one thing in it broken: kernel, vCPU, subarch. */
#include "plan_harm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* The kernel. */
static void window_short(void)
{
    seg(PVBOOT_SEG_KERNEL)->end -= 4096;
}
static void window_low(void)
{
    move(PVBOOT_SEG_KERNEL, 0xe00000);
    victim.kernel_load_gpa = 0xe00000;
    victim.vcpu.rip = 0xe00200;
}
static void window_odd(void)
{
    move(PVBOOT_SEG_KERNEL, 0x1001000);
    victim.kernel_load_gpa = 0x1001000;
    victim.vcpu.rip = 0x1001200;
}
static void window_moved_fixed(void)
{
    kernel.bz.window.relocatable = false;
    move(PVBOOT_SEG_KERNEL, 0x1200000);
    victim.kernel_load_gpa = 0x1200000;
    victim.vcpu.rip = 0x1200200;
}
static void load_elsewhere(void)
{
    victim.kernel_load_gpa += 4096;
}
static void load_too_much(void)
{
    victim.kernel_load_bytes++;
}
static void bzimage_delta(void)
{
    victim.elf_delta = 0x200000;
}
static void elf_delta_alone(void)
{
    victim.elf_delta = 0x200000;
}
static void elf_moved(uint64_t by)
{
    move(PVBOOT_SEG_KERNEL, 0x1000000 + by);
    victim.kernel_load_gpa += by;
    victim.elf_delta = (int64_t)by;
    victim.vcpu.rip += by;
}
static void vmlinux_odd(void)
{
    elf_moved(0x100000);
}
static void vmlinux_moved_fixed(void)
{
    kernel.bz.window.relocatable = false;
    elf_moved(0x200000);
}
static void pvh_moved(void)
{
    elf_moved(0x200000);
}
static void pvh_moved_over_max(void)
{
    kernel = fixture_movable(0x200000, 0x1000000, 0x4bffffe);
    elf_moved(0x200000);
}
static void pvh_moved_under_min(void)
{
    kernel = fixture_movable(0x200000, 0x1200001, 0xffffffff);
    elf_moved(0x200000);
}
static void pvh_moved_odd(void)
{
    kernel = fixture_movable(0x400000, 0x1000000, 0xffffffff);
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
    victim.vcpu.rip -= 0x200;
}
static void rip_in_bss(void)
{
    kernel.elf.notes.phys32_entry = 0x1000000 + 0x18ea9f0; /* the first byte behind the first segment */
    victim.vcpu.rip = kernel.elf.notes.phys32_entry;
}
static void path_not_offered(void)
{
    kernel.bz.xloadflags &= (uint16_t)~1u;
}
static void path_auto(void)
{
    victim.path = PVBOOT_PATH_AUTO;
}
static void mode_32(void)
{
    victim.vcpu.mode = 32;
}
static void rsi_off(void)
{
    victim.vcpu.rsi = seg(PVBOOT_SEG_SETUP_DATA)->start;
}
static void rbx_off(void)
{
    victim.vcpu.rbx = seg(PVBOOT_SEG_CMDLINE)->start;
}
static void rbx_set(void)
{
    victim.vcpu.rbx = 1; /* boot.rst: must be zero */
}
static void paging_off(void)
{
    victim.vcpu.cr0 = 0x11;
}
static void paging_on(void)
{
    victim.vcpu.cr0 = 0x80000011;
}
static void cr3_off(void)
{
    victim.vcpu.cr3 += 4096;
}
static void no_pae(void)
{
    victim.vcpu.cr4 = 0;
}
static void la57(void)
{
    victim.vcpu.cr4 |= 1u << 12;
}
static void no_lma(void)
{
    victim.vcpu.efer = 0x100;
}
static void cs_off(void)
{
    victim.vcpu.cs = 8;
}
static void ds_off(void)
{
    victim.vcpu.ds = 0x10;
}
static void gdt_off(void)
{
    victim.vcpu.gdt_gpa += 4096;
}
static void gdt_short(void)
{
    victim.vcpu.gdt_limit = 0x17;
    seg(PVBOOT_SEG_GDT)->bytes = 0x18;
}
static void few_page_tables(void)
{
    seg(PVBOOT_SEG_PAGE_TABLES)->bytes -= 4096;
}

/* Subarch and node. */
static void pvh_subarch(void)
{
    victim.subarch = 2;
}
static void old_subarch(void)
{
    kernel.bz.protocol = 0x0206;
    victim.subarch = 2;
    victim.subarch_data = victim.handover_gpa;
}
static void data_without_subarch(void)
{
    victim.subarch_data = victim.handover_gpa;
}
static void data_elsewhere(void)
{
    victim.subarch = 2;
    victim.subarch_data = victim.handover_gpa + 16;
}
static void node_elsewhere(void)
{
    victim.handover_gpa = seg(PVBOOT_SEG_ZERO_PAGE)->start;
}
static void node_odd(void)
{
    victim.handover_gpa += 4;
}

static const struct harm harm[] = {
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

static void test_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(harm) / sizeof(harm[0]); i++)
        assert_caught(&harm[i]);
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
    assert_int_equal(pvboot_plan_check(&victim, &kernel, &e), 0);
    plan_afresh(LINUX64);
    move(PVBOOT_SEG_ZERO_PAGE, 0x10000000);
    victim.vcpu.rsi = 0x10000000;
    assert_int_equal(pvboot_plan_check(&victim, &kernel, &e), 0);
    plan_afresh(VMLINUX);
    elf_moved(0x3e00000);
    assert_int_equal(pvboot_plan_check(&victim, &kernel, &e), 0);
    if (!can_plan(PVH))
        skip();
    plan_afresh(PVH);
    kernel = fixture_movable(0x200000, 0x1200000, 0x4bfffff); /* to the byte */
    elf_moved(0x200000);
    assert_int_equal(pvboot_plan_check(&victim, &kernel, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_harm), cmocka_unit_test(test_legal_otherwise) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
