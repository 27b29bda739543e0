/* SPDX-License-Identifier: LGPL-2.1-only */
/* The first vCPU's registers as Xen gets them. Values: boot.rst 32/64-bit protocol, pvh.pandoc, Intel SDM 3A. */
#include "../fake/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct pvboot_vcpu long_mode = {
    .mode = 64,
    .rip = 0x1000200,
    .rsi = 0x102000,
    .cr0 = 0x80000011,
    .cr3 = 0x105000,
    .cr4 = 0x20,
    .efer = 0x500,
    .cs = 0x10,
    .ds = 0x18,
    .gdt_gpa = 0x104000,
    .gdt_limit = 0x1f,
};
static const struct pvboot_vcpu protected_mode = { .mode = 32,
                                                   .rip = 0x100000,
                                                   .rsi = 0x90000,
                                                   .cr0 = 0x11,
                                                   .cs = 0x10,
                                                   .ds = 0x18,
                                                   .gdt_gpa = 0x91000,
                                                   .gdt_limit = 0x1f };
static const struct pvboot_vcpu pvh = { .mode = 32, .rip = 0x1a0, .rbx = 0x5000, .cr0 = 0x11 };

static int start(const struct pvboot_vcpu *v, uint32_t vcpus, struct pvboot_error *e)
{
    const struct fake_setup setup = { .vcpus = vcpus };
    struct pvboot_xen x;

    fake_begin(&setup);
    x = fake_xen();
    *e = (struct pvboot_error){ 0 };
    return pvboot_xen_start_state(&x, v, vcpus, e);
}

static const HVM_SAVE_TYPE(CPU) * started(const struct pvboot_vcpu *v)
{
    struct pvboot_error e;

    assert_int_equal(start(v, 1, &e), 0);
    if (fake.broken)
        fail_msg("%s", fake.broken);
    assert_true(fake.vcpu[0].up);
    return &fake.vcpu[0].cpu;
}

static void data_segments(const HVM_SAVE_TYPE(CPU) * c, uint32_t selector)
{
    const uint32_t sel[] = { c->ds_sel, c->es_sel, c->ss_sel };
    const uint32_t arbytes[] = { c->ds_arbytes, c->es_arbytes, c->ss_arbytes };
    const uint32_t limit[] = { c->ds_limit, c->es_limit, c->ss_limit };

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sel[i], selector);
        assert_int_equal(arbytes[i], 0xc93);
        assert_int_equal(limit[i], 0xffffffff);
    }
    assert_int_equal(c->ds_base | c->es_base | c->ss_base | c->cs_base, 0);
    assert_int_equal(c->tr_arbytes, 0x8b);
    assert_int_equal(c->tr_limit, 0x67);
    assert_int_equal(c->ldtr_arbytes | c->fs_arbytes | c->gs_arbytes, 0);
}

static void long_mode_start(void **state)
{
    const HVM_SAVE_TYPE(CPU) *c = started(&long_mode);

    (void)state;
    assert_int_equal(c->rip, 0x1000200);
    assert_int_equal(c->rsi, 0x102000);
    assert_int_equal(c->cr0, 0x80000011);
    assert_int_equal(c->cr3, 0x105000);
    assert_int_equal(c->cr4, 0x20);
    assert_int_equal(c->msr_efer, 0x500);
    assert_int_equal(c->cs_sel, 0x10);
    assert_int_equal(c->cs_arbytes, 0xa9b);
    assert_int_equal(c->gdtr_base, 0x104000);
    assert_int_equal(c->gdtr_limit, 0x1f);
    data_segments(c, 0x18);
}

static void protected_mode_start(void **state)
{
    const HVM_SAVE_TYPE(CPU) *c = started(&protected_mode);

    (void)state;
    assert_int_equal(c->rip, 0x100000);
    assert_int_equal(c->rsi, 0x90000);
    assert_int_equal(c->rbx | c->rbp | c->rdi, 0); /* boot.rst: must be zero */
    assert_int_equal(c->cr0, 0x11);
    assert_int_equal(c->cr3 | c->cr4 | c->msr_efer, 0);
    assert_int_equal(c->cs_sel, 0x10);
    assert_int_equal(c->cs_arbytes, 0xc9b);
    assert_int_equal(c->gdtr_base, 0x91000);
    data_segments(c, 0x18);
}

static void pvh_start(void **state)
{
    const HVM_SAVE_TYPE(CPU) *c = started(&pvh);

    (void)state;
    assert_int_equal(c->rip, 0x1a0);
    assert_int_equal(c->rbx, 0x5000);
    assert_int_equal(c->cr0, 0x11);
    assert_int_equal(c->cs_arbytes, 0xc9b);
    data_segments(c, 0);
}

/* Everything not named above is zero but for what the CPU itself holds at reset. */
static void the_rest_is_zero(void **state)
{
    HVM_SAVE_TYPE(CPU) c = *started(&long_mode);
    uint8_t zero[sizeof(c.fpu_regs)] = { 0 };

    (void)state;
    assert_int_equal(c.rflags, 2); /* no IF */
    assert_int_equal(c.dr6, 0xffff0ff0);
    assert_int_equal(c.dr7, 0x400);
    assert_int_equal(c.rax | c.rbx | c.rcx | c.rdx | c.rbp | c.rsp | c.rdi, 0);
    assert_int_equal(c.r8 | c.r9 | c.r10 | c.r11 | c.r12 | c.r13 | c.r14 | c.r15, 0);
    assert_int_equal(c.cr2 | c.dr0 | c.dr1 | c.dr2 | c.dr3, 0);
    assert_int_equal(c.idtr_base | c.idtr_limit | c.flags | c.error_code | c.pending_event, 0);
    assert_int_equal(c.msr_lstar | c.msr_star | c.msr_cstar | c.shadow_gs | c.msr_tsc_aux | c.tsc, 0);
    assert_memory_equal(c.fpu_regs, zero, sizeof(zero));
}

/* Xen takes every vCPU down for each stream, so it is one. Other vCPUs wait for the guest, with usable MTRRs. */
static void one_stream_for_all_vcpus(void **state)
{
    static const uint32_t vcpus[] = { 1, 2, 7, 128 };
    struct pvboot_error e;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(start(&long_mode, vcpus[i], &e), 0);
        assert_null(fake.broken);
        assert_int_equal(fake.contexts_set, 1);
        for (uint32_t v = 0; v < FAKE_VCPUS; v++) {
            assert_int_equal(fake.vcpu[v].up, v == 0);
            assert_int_equal(fake.vcpu[v].has_mtrr, v < vcpus[i]);
            if (v >= vcpus[i])
                continue;
            assert_int_equal(fake.vcpu[v].mtrr.msr_mtrr_def_type, 0x806); /* enabled, write-back */
            assert_int_equal(fake.vcpu[v].mtrr.msr_mtrr_cap, 0x508);      /* as Xen had it */
            assert_int_equal(fake.vcpu[v].mtrr.msr_pat_cr, 0x0007040600070406ull);
        }
    }
}

static void each_call_is_looked_at(void **state)
{
    struct pvboot_error e;
    unsigned long calls;

    (void)state;
    fault_enter();
    fault_arm(FAULT_XEN, 0, 0);
    assert_int_equal(start(&pvh, 2, &e), 0);
    calls = fault_count(FAULT_XEN);
    assert_int_equal(calls, 4); /* the fixture's open, size, context, set */
    for (unsigned long n = 2; n <= calls; n++) {
        fault_arm(FAULT_XEN, n, ESRCH);
        assert_int_equal(start(&pvh, 2, &e), -PVBOOT_E_XEN);
        assert_non_null(strstr(e.text, "errno 3"));
        assert_false(fake.vcpu[0].up);
    }
    fault_leave();
}

static uint8_t canned[256];
static size_t canned_bytes;

static int canned_context(xc_interface *xch, uint32_t domid, uint8_t *buf, uint32_t size)
{
    (void)xch;
    (void)domid;
    if (buf)
        memcpy(buf, canned, canned_bytes < size ? canned_bytes : size);
    return (int)canned_bytes;
}

/* A context that Xen does not write, such as a later version's: refused with the record's name, never read beyond. */
static void contexts_without_the_records(void **state)
{
    struct hvm_save_descriptor header = { .typecode = HVM_SAVE_CODE(HEADER), .length = sizeof(struct hvm_save_header) };
    struct hvm_save_descriptor mtrr = { .typecode = HVM_SAVE_CODE(MTRR), .length = UINT32_MAX };
    const size_t end_of_header = sizeof(header) + header.length;
    const size_t cut[] = { 1,
                           sizeof(header) - 1,
                           sizeof(header),
                           end_of_header - 1,
                           end_of_header,
                           end_of_header + sizeof(mtrr) - 1,
                           end_of_header + sizeof(mtrr) };
    const struct fake_setup setup = { .vcpus = 1 };
    struct pvboot_error e;
    struct pvboot_xen x;

    (void)state;
    memcpy(canned, &header, sizeof(header));
    memcpy(canned + end_of_header, &mtrr, sizeof(mtrr));
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        fake_begin(&setup);
        x = fake_xen();
        x.call.xc_domain_hvm_getcontext = canned_context;
        canned_bytes = cut[i];
        e = (struct pvboot_error){ 0 };
        assert_int_equal(pvboot_xen_start_state(&x, &pvh, 1, &e), -PVBOOT_E_XEN);
        assert_non_null(strstr(e.text, cut[i] < end_of_header ? "HEADER" : "MTRR"));
        assert_int_equal(fake.contexts_set, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_mode_start),
        cmocka_unit_test(protected_mode_start),
        cmocka_unit_test(pvh_start),
        cmocka_unit_test(the_rest_is_zero),
        cmocka_unit_test(one_stream_for_all_vcpus),
        cmocka_unit_test(each_call_is_looked_at),
        cmocka_unit_test(contexts_without_the_records),
    };

    return cmocka_run_group_tests_name("xen_start", tests, NULL, NULL);
}
