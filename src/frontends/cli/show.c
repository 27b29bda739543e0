/* SPDX-License-Identifier: LGPL-2.1-only */
/* For people: tables on standard output.  For programs there is --json. */
#include "cli.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char *type_name(uint32_t type)
{
    static const char *const name[] = {
        [PVBOOT_RAM] = "RAM",      [PVBOOT_RESERVED] = "reserved", [PVBOOT_ACPI] = "ACPI",
        [PVBOOT_NVS] = "ACPI NVS", [PVBOOT_UNUSABLE] = "unusable",
    };

    return type < sizeof(name) / sizeof(name[0]) && name[type] ? name[type] : "other";
}

/* "640 KiB", in the largest unit that divides it; "47.9 MiB" where that is none, or makes a long number. */
static const char *size_text(uint64_t bytes, char buf[32])
{
    static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    uint64_t whole = bytes;
    size_t i = 0;

    while (i + 1 < sizeof(unit) / sizeof(unit[0]) && whole && !(whole % 1024)) {
        whole /= 1024;
        i++;
    }
    if (whole < 10000 && (i || bytes < 1024))
        snprintf(buf, 32, "%" PRIu64 " %s", whole, unit[i]);
    else if (bytes < 1 << 20)
        snprintf(buf, 32, "%.1f KiB", (double)bytes / 1024);
    else
        snprintf(buf, 32, "%.1f MiB", (double)bytes / (1 << 20));
    return buf;
}

/* The segments of [start, end), ascending. */
static void show_segments(const struct pvboot_plan *plan, uint64_t start, uint64_t end)
{
    char size[32];

    for (;;) {
        const struct pvboot_segment *next = NULL;

        for (size_t i = 0; i < PVBOOT_SEGMENTS; i++) {
            const struct pvboot_segment *s = &plan->seg[i];

            if (s->end && s->start >= start && s->start < end && (!next || s->start < next->start))
                next = s;
        }
        if (!next)
            return;
        printf("    %012" PRIx64 " %012" PRIx64 "  %-13s %10s  %s\n", next->start, next->end,
               pvboot_segment_name((enum pvboot_segment_id)(next - plan->seg)),
               size_text(next->end - next->start, size), next->why);
        start = next->start + 1;
    }
}

static void show_memory(const struct pvboot_plan *plan)
{
    char size[32];
    uint64_t at = 0;

    printf("\nmemory, [start, end):\n");
    for (size_t i = 0; i < plan->e820.n; i++) {
        const struct pvboot_range *r = &plan->e820.r[i];

        if (at < r->start)
            printf("  %012" PRIx64 " %012" PRIx64 "    hole %22s\n", at, r->start, size_text(r->start - at, size));
        printf("  %012" PRIx64 " %012" PRIx64 "    %-15s %11s\n", r->start, r->end, type_name(r->type),
               size_text(r->end - r->start, size));
        show_segments(plan, r->start, r->end);
        at = r->end;
    }
}

static void show_vcpu(const struct pvboot_vcpu *v)
{
    printf("\nvCPU 0, %u-bit, interrupts off:\n"
           "  rip %012" PRIx64 "  rsi %012" PRIx64 "  rbx %012" PRIx64 "\n"
           "  cr0 %012" PRIx64 "  cr3 %012" PRIx64 "  cr4 %012" PRIx64 "  efer %" PRIx64 "\n"
           "  gdt %012" PRIx64 "+%x  cs %x  ds %x\n",
           v->mode, v->rip, v->rsi, v->rbx, v->cr0, v->cr3, v->cr4, v->efer, v->gdt_gpa, v->gdt_limit, v->cs, v->ds);
}

/* Addresses above are pseudo-physical; these are what the guest sees. */
static void show_pv(const struct pvboot_plan *plan)
{
    const struct pvboot_pv *pv = &plan->pv;

    printf("\nvCPU 0, paravirtual, events masked:\n"
           "  rip %016" PRIx64 "  rsi %016" PRIx64 "  rsp %016" PRIx64 "\n"
           "  cr3 %012" PRIx64 "; 0..%" PRIx64 " is mapped from %016" PRIx64 " on, the p2m list at %016" PRIx64 "\n",
           plan->vcpu.rip, plan->vcpu.rsi, pv->rsp, plan->vcpu.cr3, pv->mapped_end, pv->virt_base, pv->p2m_va);
    if (pv->hypercall_gpa != UINT64_MAX)
        printf("  Xen fills the hypercall page at %012" PRIx64 "\n", pv->hypercall_gpa);
}

void cli_show_plan(const struct pvboot_plan *plan)
{
    cli_fold(9, "entry    ", plan->path_why);
    show_memory(plan);
    if (plan->path == PVBOOT_PATH_PV)
        show_pv(plan);
    else
        show_vcpu(&plan->vcpu);
    if (plan->handover_gpa)
        printf("\nhypervisor node at %#" PRIx64 "\n", plan->handover_gpa);
    if (plan->subarch)
        printf("hardware_subarch %u, data %#" PRIx64 "\n", plan->subarch, plan->subarch_data);
    for (size_t i = 0; i < sizeof(plan->notes) / sizeof(plan->notes[0]); i++)
        if (plan->notes[i][0])
            cli_fold(6, "note: ", plan->notes[i]);
}

/* " = 51.5 MiB", where it is a size and large; "" for others. */
static const char *rough_size(const char *key, json_int_t n, char buf[32])
{
    const char *last = strrchr(key, '_');

    buf[0] = 0;
    if (n >= 1 << 20 && (!strcmp(last ? last + 1 : key, "bytes") || !strcmp(key, "init_size")))
        snprintf(buf, 32, " = %.1f MiB", (double)n / (1 << 20));
    return buf;
}

static void show_number(const char *key, json_int_t n)
{
    char names[160], size[32];

    cli_meaning(key, (uint64_t)n, names, sizeof(names));
    if (n > 9)
        printf(" %#llx (%lld)", (unsigned long long)n, (long long)n);
    else
        printf(" %lld", (long long)n);
    printf("%s%s%s\n", rough_size(key, n, size), names[0] ? " " : "", names);
}

/* A value on the line of its key. */
static void show_scalar(const char *key, const json_t *v, int column)
{
    if (json_is_integer(v))
        show_number(key, json_integer_value(v));
    else if (json_is_boolean(v))
        printf(" %s\n", json_is_true(v) ? "yes" : "no");
    else
        cli_fold(column + 1, " ", json_string_length(v) ? json_string_value(v) : "-");
}

static void show_value(const json_t *v, int indent);

static void show_pair(const char *key, const json_t *v, int indent)
{
    printf("%*s%-*s", indent, "", 24 - indent > 0 ? 24 - indent : 1, key);
    if (json_is_array(v) && !json_array_size(v)) {
        printf(" none\n");
    } else if (json_is_object(v) || json_is_array(v)) {
        printf("\n");
        show_value(v, indent + 2);
    } else {
        show_scalar(key, v, 24);
    }
}

/* Depth is what describe and decode make: a handful. */
static void show_value(const json_t *v, int indent)
{
    const char *key;
    char number[24];
    json_t *item;
    size_t i;

    json_object_foreach((json_t *)v, key, item) show_pair(key, item, indent);
    json_array_foreach(v, i, item)
    {
        snprintf(number, sizeof(number), "%zu", i);
        show_pair(number, item, indent);
    }
}

void cli_show_json(const json_t *o)
{
    show_value(o, 0);
}

static void show_refusal(const char *name, const char *why)
{
    printf("  %-10s ", name);
    cli_fold(17, "no: ", why);
}

void cli_show_image(const char *path, const json_t *image)
{
    char shown[4 * PATH_MAX];
    const char *name;
    json_t *entry;

    pvb_escape(shown, sizeof(shown), path, strlen(path));
    printf("%s\n", shown);
    json_object_foreach((json_t *)image, name, entry) if (strcmp(name, "entries")) show_pair(name, entry, 0);
    printf("\nentries:\n");
    json_object_foreach(json_object_get(image, "entries"), name, entry)
    {
        if (json_is_true(json_object_get(entry, "ok")))
            printf("  %-10s at %#llx\n", name, (unsigned long long)json_integer_value(json_object_get(entry, "gpa")));
        else
            show_refusal(name, json_string_value(json_object_get(entry, "why")));
    }
}

static bool has_printed;

bool cli_has_printed_json(void)
{
    return has_printed;
}

int cli_print_json(json_t *o, struct pvboot_error *e)
{
    int r = o ? json_object_set_new(o, "json_version", json_integer(CLI_JSON_VERSION)) : -1;

    if (!r)
        r = json_dumpf(o, stdout, JSON_INDENT(2));
    has_printed = true;

    json_decref(o);
    if (r)
        return pvb_fail(e, PVBOOT_E_HOST, "cannot print JSON");
    printf("\n");
    return 0;
}
