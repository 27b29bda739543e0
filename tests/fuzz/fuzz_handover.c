/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * handover.h's reader in a guest memory of which only a window can be read.  What the view gives are copies of exactly
 * the bytes asked for, so that a sanitizer sees a read past them, and one outside the window is refused.
 */
#include "fuzz.h"

#include <pvboot/handover.h>
#include <stdlib.h>

#define COPIES_MAX 4096u

struct memory {
    uint64_t base_gpa;
    uint8_t *p;
    size_t len;
    uint8_t *copy[COPIES_MAX];
    size_t copies;
};

static const uint8_t *window_at(const void *ctx, uint64_t gpa, uint64_t n)
{
    struct memory *m = (struct memory *)(uintptr_t)ctx;
    const struct pvboot_bytes b = { m->p, m->len };
    uint8_t *copy;

    if (gpa < m->base_gpa || !pvboot_has(b, gpa - m->base_gpa, n))
        return NULL;
    FUZZ_MUST(m->copies < COPIES_MAX); /* two for each node a walk looks at, one for the payload */
    copy = malloc((size_t)n);
    FUZZ_MUST(copy);
    (void)pvboot_get(b, gpa - m->base_gpa, copy, (size_t)n);
    return m->copy[m->copies++] = copy;
}

static void forget(struct memory *m)
{
    while (m->copies)
        free(m->copy[--m->copies]);
}

/* No fuzzer guesses a CRC: give the nodes of our type the right one. */
static void mend_checksums(struct memory *m, struct pvboot_view v)
{
    struct pvboot_setup_walk w = { .next_gpa = m->base_gpa };
    struct pvboot_setup_node node;
    uint32_t bytes, crc;

    while (pvboot_setup_next(&w, v, &node) == PVBOOT_HANDOVER_OK) {
        const struct pvboot_bytes b = { m->p, m->len };
        uint64_t off = node.data_gpa - m->base_gpa;

        if (node.type != PVBOOT_SETUP_TYPE || node.data_gpa < m->base_gpa || !pvboot_get(b, off + 8, &bytes, 4) ||
            bytes < sizeof(struct pvboot_handover) || !pvboot_has(b, off, bytes))
            continue;
        crc = pvboot_handover_checksum(m->p + off, bytes);
        memcpy(m->p + off + 12, &crc, sizeof(crc));
        break;
    }
    forget(m);
}

/* What was found is what the table in handover.h promises. */
static void must_hold(const struct pvboot_handover *h, const uint8_t *payload)
{
    uint32_t off = h->tlv_off, n = 0;
    struct pvboot_tlv t, first;
    int r;

    FUZZ_MUST(h->magic == PVBOOT_HANDOVER_MAGIC && h->bytes >= sizeof(*h) && !memcmp(h, payload, sizeof(*h)));
    while ((r = pvboot_handover_next_tlv(payload, h->bytes, &off, &t)) > 0) {
        FUZZ_MUST(t.value >= payload + h->tlv_off && t.bytes <= h->bytes);
        FUZZ_MUST((size_t)(t.value - payload) <= h->bytes - t.bytes && ++n <= h->bytes / 8);
        FUZZ_MUST(pvboot_handover_tlv(payload, t.type, &first) && first.type == t.type && first.value <= t.value);
    }
    FUZZ_MUST(!r && off == h->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pvboot_bytes in = { data, size };
    static struct memory m;
    const struct pvboot_view v = { window_at, &m };
    struct pvboot_handover h;
    const uint8_t *payload = NULL;
    enum pvboot_handover_status s;
    uint64_t head_gpa;
    bool mend = fuzz_byte(&in) & 1;

    fuzz_take(&in, &m.base_gpa, sizeof(m.base_gpa));
    m.len = in.len;
    m.p = malloc(in.len);
    if (in.len)
        memcpy(m.p, in.p, in.len);
    head_gpa = m.base_gpa;
    if (mend)
        mend_checksums(&m, v);
    s = pvboot_handover_find(head_gpa, v, &h, &payload);
    FUZZ_MUST(s <= PVBOOT_HANDOVER_BAD_TLV);
    if (s == PVBOOT_HANDOVER_OK)
        must_hold(&h, payload);
    forget(&m);
    (void)pvboot_handover_check(m.p, m.len, &h);
    free(m.p);
    return 0;
}
