/* SPDX-License-Identifier: LGPL-2.1-only */
#include "describe.h"

/* What is not whole is not there: a reader could not tell a key that found no memory from one that has no value. */
static json_t *whole(json_t *v, int failed)
{
    if (!failed)
        return v;
    json_decref(v);
    return NULL;
}

json_t *pvb_describe_memmap(const struct pvboot_memmap *m)
{
    json_t *a = json_array();
    int failed = 0;

    for (size_t i = 0; i < m->n; i++)
        failed |= json_array_append_new(a, json_pack("{s:o, s:o, s:o}", "start", pvb_json_u64(m->r[i].start), "end",
                                                     pvb_json_u64(m->r[i].end), "type", pvb_json_u64(m->r[i].type)));
    return whole(a, failed);
}

static json_t *describe_segments(const struct pvboot_plan *plan)
{
    json_t *a = json_array();
    int failed = 0;

    for (enum pvboot_segment_id id = 0; id < PVBOOT_SEGMENTS; id++) {
        const struct pvboot_segment *s = &plan->seg[id];

        if (s->end)
            failed |= json_array_append_new(a, json_pack("{s:s, s:o, s:o, s:o, s:s}", "name", pvboot_segment_name(id),
                                                         "start", pvb_json_u64(s->start), "end", pvb_json_u64(s->end),
                                                         "bytes", pvb_json_u64(s->bytes), "why", s->why));
    }
    return whole(a, failed);
}

static json_t *describe_vcpu(const struct pvboot_vcpu *v)
{
    const struct {
        const char *key;
        uint64_t value;
    } reg[] = {
        { "mode", v->mode },       { "rip", v->rip },
        { "rsi", v->rsi },         { "rbx", v->rbx },
        { "cr0", v->cr0 },         { "cr3", v->cr3 },
        { "cr4", v->cr4 },         { "efer", v->efer },
        { "gdt_gpa", v->gdt_gpa }, { "gdt_limit", v->gdt_limit },
        { "cs", v->cs },           { "ds", v->ds },
    };
    json_t *o = json_object();
    int failed = 0;

    for (size_t i = 0; i < sizeof(reg) / sizeof(reg[0]); i++)
        failed |= json_object_set_new(o, reg[i].key, pvb_json_u64(reg[i].value));
    return whole(o, failed);
}

/* Addresses that a PV start has besides; null on other paths. */
static json_t *describe_pv(const struct pvboot_plan *plan)
{
    const struct pvboot_pv *pv = &plan->pv;

    if (plan->path != PVBOOT_PATH_PV)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "virt_base", pvb_json_u64(pv->virt_base), "mapped_end",
                     pvb_json_u64(pv->mapped_end), "p2m_va", pvb_json_u64(pv->p2m_va), "rsp", pvb_json_u64(pv->rsp),
                     "hypercall_gpa", pv->hypercall_gpa == UINT64_MAX ? json_null() : pvb_json_u64(pv->hypercall_gpa));
}

static json_t *describe_remarks(const struct pvboot_plan *plan)
{
    json_t *a = json_array();
    int failed = 0;

    for (size_t i = 0; i < sizeof(plan->notes) / sizeof(plan->notes[0]); i++)
        if (plan->notes[i][0])
            failed |= json_array_append_new(a, json_string(plan->notes[i]));
    return whole(a, failed);
}

json_t *pvb_describe_plan(const struct pvboot_plan *plan)
{
    json_t *o = json_object();
    int failed = 0;

    failed |= json_object_set_new(o, "entry", json_string(pvboot_path_name(plan->path)));
    failed |= json_object_set_new(o, "entry_why", json_string(plan->path_why));
    failed |= json_object_set_new(o, "memory_bytes", pvb_json_u64(pvboot_memmap_bytes(&plan->machine.map, PVBOOT_RAM)));
    failed |= json_object_set_new(o, "vcpus", pvb_json_u64(plan->machine.vcpus));
    failed |= json_object_set_new(o, "memmap", pvb_describe_memmap(&plan->e820));
    failed |= json_object_set_new(o, "segments", describe_segments(plan));
    failed |= json_object_set_new(o, "vcpu", describe_vcpu(&plan->vcpu));
    failed |= json_object_set_new(o, "kernel_load_gpa", pvb_json_u64(plan->kernel_load_gpa));
    failed |= json_object_set_new(o, "rsdp_gpa", pvb_json_u64(plan->machine.rsdp_gpa));
    failed |= json_object_set_new(o, "handover_gpa", pvb_json_u64(plan->handover_gpa));
    failed |= json_object_set_new(o, "subarch", pvb_json_u64(plan->subarch));
    failed |= json_object_set_new(o, "subarch_data", pvb_json_u64(plan->subarch_data));
    failed |= json_object_set_new(o, "pv", describe_pv(plan));
    failed |= json_object_set_new(o, "notes", describe_remarks(plan));
    return whole(o, failed);
}
