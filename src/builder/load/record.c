/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../base/base.h"
#include <pvboot/record.h>

#include <stdlib.h>

static int check_ram(const struct pvboot_record *r, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    uint64_t end;

    if (pvb_add(gpa, n, &end) && pvboot_memmap_inside(&r->ram, gpa, end, PVBOOT_RAM))
        return 0;
    return pvb_fail(e, PVBOOT_E_NOFIT, "%#llx+%#llx is not in the guest's RAM", (unsigned long long)gpa,
                    (unsigned long long)n);
}

static int keep(struct pvboot_record *r, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    uint8_t *copy;

    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 32;
        struct pvboot_written *w = realloc(r->w, cap * sizeof(*w));

        if (!w)
            return pvb_fail(e, PVBOOT_E_HOST, "no memory to record %zu writes", cap);
        r->w = w;
        r->cap = cap;
    }
    copy = malloc(n);
    if (!copy)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory to record %zu bytes", n);
    memcpy(copy, src, n);
    r->w[r->n++] = (struct pvboot_written){ gpa, { copy, n } };
    return 0;
}

static int record_write(struct pvboot_guest *g, uint64_t gpa, const void *src, size_t n, struct pvboot_error *e)
{
    struct pvboot_record *r = (struct pvboot_record *)g;
    int rc;

    if (!n)
        return 0;
    rc = r->next ? r->next->ops->write(r->next, gpa, src, n, e) : check_ram(r, gpa, n, e);
    return rc ? rc : keep(r, gpa, src, n, e);
}

/* Zeroes are what memory is before the first write; only what was written there before has to go. */
static int record_zero(struct pvboot_guest *g, uint64_t gpa, uint64_t n, struct pvboot_error *e)
{
    struct pvboot_record *r = (struct pvboot_record *)g;
    int rc;

    if (!n)
        return 0;
    rc = r->next ? r->next->ops->zero(r->next, gpa, n, e) : check_ram(r, gpa, n, e);
    for (size_t i = 0; !rc && i < r->n; i++) {
        struct pvboot_written *w = &r->w[i];
        uint64_t start = gpa > w->gpa ? gpa : w->gpa;
        uint64_t end = gpa + n < w->gpa + w->bytes.len ? gpa + n : w->gpa + w->bytes.len;

        if (start < end)
            memset((uint8_t *)w->bytes.p + (start - w->gpa), 0, (size_t)(end - start));
    }
    return rc;
}

static void record_close(struct pvboot_guest *g)
{
    struct pvboot_record *r = (struct pvboot_record *)g;

    for (size_t i = 0; i < r->n; i++) {
        explicit_bzero((void *)r->w[i].bytes.p, r->w[i].bytes.len); /* the guest's seed is among them */
        free((void *)r->w[i].bytes.p);
    }
    free(r->w);
    r->w = NULL;
    r->n = r->cap = 0;
    if (r->next)
        r->next->ops->close(r->next);
}

void pvboot_record_init(struct pvboot_record *r, const struct pvboot_machine *machine, struct pvboot_guest *next)
{
    static const struct pvboot_guest_ops ops = {
        .bytes = sizeof(ops), .write = record_write, .zero = record_zero, .close = record_close
    };

    *r = (struct pvboot_record){ .guest = { &ops }, .next = next, .ram = machine->map };
    for (size_t i = 0; machine->tables && i < r->ram.n; i++)
        if (r->ram.r[i].type == PVBOOT_ACPI)
            r->ram.r[i].type = PVBOOT_RAM;
}
