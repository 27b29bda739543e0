/* SPDX-License-Identifier: LGPL-2.1-only */
/* A legal plan, one thing in it broken: maps and segments. */
#include "plan_harm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* The map. */
static void e820_isa_is_ram(void)
{
    victim.e820 = victim.machine.map;
}
static void e820_short(void)
{
    victim.e820.r[victim.e820.n - 1].end -= 4096;
}
static void e820_first_gone(void)
{
    memmove(&victim.e820.r[0], &victim.e820.r[1], --victim.e820.n * sizeof(victim.e820.r[0]));
}
static void e820_more_ram(void)
{
    victim.e820.r[victim.e820.n - 1].end += 4096;
}
static void e820_type(void)
{
    victim.e820.r[3].type = PVBOOT_RAM; /* ACPI */
}
static void e820_order(void)
{
    struct pvboot_range r = victim.e820.r[0];

    victim.e820.r[0] = victim.e820.r[1];
    victim.e820.r[1] = r;
}
static void map_overlaps(void)
{
    victim.machine.map.r[0].end = victim.machine.map.r[1].start + 1;
}
static void pvh_isa_reserved(void)
{
    struct pvboot_error e = { 0 };

    (void)pvboot_memmap_set(&victim.e820, 0xa0000, 0x100000, PVBOOT_RESERVED, &e);
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
    victim.machine.rsdp_gpa = 0xfc010000;
}
static void rsdp_in_ram(void)
{
    victim.machine.rsdp_gpa = 0xf0000;
}
static void many_vcpus(void)
{
    victim.machine.vcpus = 129;
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
    kernel.bz.initrd_addr_max = seg(PVBOOT_SEG_RAMDISK)->start + seg(PVBOOT_SEG_RAMDISK)->bytes - 2;
}

/* Command line. */
static void cmdline_long(void)
{
    kernel.bz.cmdline_max = (uint32_t)seg(PVBOOT_SEG_CMDLINE)->bytes - 2;
}

static const struct harm harm[] = {
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
};

static void test_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(harm) / sizeof(harm[0]); i++)
        assert_caught(&harm[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_harm) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
