/* SPDX-License-Identifier: LGPL-2.1-only */
/* A legal plan of a PV guest, one thing in it broken. */
#include "plan_harm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#define PAGE 4096u

/* Memory. */
static void not_pv(void)
{
    victim.machine.pv = false;
}
static void a_hole(void)
{
    victim.machine.map.n = victim.e820.n = 2;
    victim.machine.map.r[1] = victim.e820.r[1] = (struct pvboot_range){ 2 * GIB, 3 * GIB, PVBOOT_RAM };
}
static void told_more(void)
{
    victim.e820.r[0].end += PAGE;
}
static void beyond(void)
{
    move(PVBOOT_SEG_RAMDISK, GIB - PAGE);
}

/* Segments. */
static void no_list(void)
{
    *seg(PVBOOT_SEG_P2M) = (struct pvboot_segment){ 0 };
}
static void no_stack(void)
{
    *seg(PVBOOT_SEG_STACK) = (struct pvboot_segment){ 0 };
}
static void no_rings(void)
{
    *seg(PVBOOT_SEG_SPECIAL) = (struct pvboot_segment){ 0 };
}
static void a_zero_page(void)
{
    *seg(PVBOOT_SEG_ZERO_PAGE) = *seg(PVBOOT_SEG_STACK);
    move(PVBOOT_SEG_ZERO_PAGE, 512 * MIB);
}
static void acpi(void)
{
    *seg(PVBOOT_SEG_ACPI) = *seg(PVBOOT_SEG_STACK);
    move(PVBOOT_SEG_ACPI, 512 * MIB);
}
static void over_each_other(void)
{
    move(PVBOOT_SEG_STACK, seg(PVBOOT_SEG_PAGE_TABLES)->start);
}
static void kernel_moved(void)
{
    victim.elf_delta = 4096;
}
static void kernel_cut(void)
{
    seg(PVBOOT_SEG_KERNEL)->bytes = seg(PVBOOT_SEG_KERNEL)->end -= PAGE;
    seg(PVBOOT_SEG_KERNEL)->bytes -= seg(PVBOOT_SEG_KERNEL)->start;
}

/* Order. */
static void a_gap(void)
{
    move(PVBOOT_SEG_STACK, seg(PVBOOT_SEG_STACK)->start + PAGE);
}
static void rings_first(void)
{
    move(PVBOOT_SEG_SPECIAL, seg(PVBOOT_SEG_START_INFO)->start);
    move(PVBOOT_SEG_START_INFO, seg(PVBOOT_SEG_SPECIAL)->end);
}
static void ramdisk_in_the_mapping(void)
{
    move(PVBOOT_SEG_RAMDISK, seg(PVBOOT_SEG_STACK)->end);
}

/* The mapping. */
static void another_base(void)
{
    victim.pv.virt_base += 4 * MIB;
}
static void ends_anywhere(void)
{
    victim.pv.mapped_end -= PAGE;
}
static void too_short(void)
{
    victim.pv.mapped_end -= 4 * MIB;
}
static void too_long(void)
{
    victim.pv.mapped_end += 4 * MIB;
    move(PVBOOT_SEG_RAMDISK, 512 * MIB);
    move(PVBOOT_SEG_P2M, 513 * MIB);
}
static void of_xen(void)
{
    kernel.elf.notes.pv.virt_base = victim.pv.virt_base = 0xffff800000000000;
}
static void not_canonical(void)
{
    kernel.elf.notes.pv.virt_base = victim.pv.virt_base = 0x7ffffe000000;
}

/* Tables and list. */
static void a_table_less(void)
{
    seg(PVBOOT_SEG_PAGE_TABLES)->bytes -= PAGE;
}
static void a_shorter_list(void)
{
    seg(PVBOOT_SEG_P2M)->bytes -= PAGE;
}
static void list_elsewhere(void)
{
    victim.pv.p2m_va += 1ull << 39;
}
static void list_not_wanted_apart(void)
{
    kernel.elf.notes.pv.has_init_p2m = false;
}
static void list_beside_the_kernel(void)
{
    kernel.elf.notes.pv.init_p2m_va = victim.pv.p2m_va = 0xffffffff40000000;
}

/* The start. */
static void rip(void)
{
    victim.vcpu.rip++;
}
static void rsi(void)
{
    victim.vcpu.rsi += PAGE;
}
static void rsp(void)
{
    victim.pv.rsp -= PAGE;
}
static void cr3(void)
{
    victim.vcpu.cr3 += PAGE;
}
static void cr0(void)
{
    victim.vcpu.cr0 = 1;
}
static void mode(void)
{
    victim.vcpu.mode = 32;
}
static void hypercall_page(void)
{
    victim.pv.hypercall_gpa = 0x1000000;
}
static void store(void)
{
    victim.machine.xenstore_gpa += PAGE;
}
static void console(void)
{
    victim.machine.console_gpa -= PAGE;
}
static void subarch(void)
{
    victim.subarch = 2;
}
static void path(void)
{
    kernel.elf.notes.pv.has_entry = false;
    kernel.elf.notes.loader[0] = 0;
}

#define PV PVBOOT_PATH_PV
static const struct harm harms[] = {
    { PV, not_pv, "a PV start in another memory" },
    { PV, a_hole, "a PV start in another memory" },
    { PV, told_more, "e820 is wrong" },
    { PV, beyond, "ramdisk ends at 0x" },
    { PV, no_list, "this path needs a segment for p2m" },
    { PV, no_stack, "this path needs a segment for stack" },
    { PV, no_rings, "this path needs a segment for special pages" },
    { PV, a_zero_page, "this path has no use for zero page" },
    { PV, acpi, "this path has no use for acpi" },
    { PV, over_each_other, "page tables and stack overlap" },
    { PV, kernel_moved, "is outside the kernel segment" },
    { PV, kernel_cut, "is outside the kernel segment" },
    { PV, a_gap, "stack at 0x" },
    { PV, rings_first, "start info at 0x" },
    { PV, ramdisk_in_the_mapping, "ramdisk at 0x" },
    { PV, another_base, "bytes from 0x" },
    { PV, ends_anywhere, "bytes from 0x" },
    { PV, too_short, "the mapping ends at" },
    { PV, too_long, "the mapping ends at" },
    { PV, of_xen, "are Xen's addresses" },
    { PV, not_canonical, "are Xen's addresses" },
    { PV, a_table_less, "page tables of" },
    { PV, a_shorter_list, "p2m list of" },
    { PV, list_elsewhere, "p2m list at 0x" },
    { PV, list_not_wanted_apart, "p2m list at 0x" },
    { PV, list_beside_the_kernel, "p2m list of 0x" },
    { PV, rip, "rip is 0x" },
    { PV, rsi, "rsi is 0x" },
    { PV, rsp, "rsp is 0x" },
    { PV, cr3, "cr3 is 0x" },
    { PV, cr0, "what Xen sets is 0x1" },
    { PV, mode, "mode is 0x20" },
    { PV, hypercall_page, "the hypercall page is 0x1000000" },
    { PV, store, "xenstore's ring is 0x" },
    { PV, console, "the console's ring is 0x" },
    { PV, subarch, "subarch is 0x2" },
    { PV, path, "which the kernel does not offer" },
};

static void each_harm_is_caught(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
        print_message("%s\n", harms[i].rule);
        assert_caught(&harms[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_harm_is_caught),
    };

    return cmocka_run_group_tests_name("plan_check_pv", tests, NULL, NULL);
}
