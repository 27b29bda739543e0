/* SPDX-License-Identifier: LGPL-2.1-only */
/* boot.rst "setup_data"; the hypervisor node: pvboot/handover.h. */
#include "../../startinfo/abi.h"
#include "../load/load.h"
#include "decode.h"
#include <pvboot/handover.h>

#include <inttypes.h>
#include <stdio.h>

static const char *type_name(uint32_t type)
{
    static const char *const name[] = {
        [SETUP_NONE] = "none",
        [SETUP_E820_EXT] = "e820_ext",
        [SETUP_DTB] = "dtb",
        [SETUP_PCI] = "pci",
        [SETUP_EFI] = "efi",
        [SETUP_APPLE_PROPERTIES] = "apple_properties",
        [SETUP_JAILHOUSE] = "jailhouse",
        [SETUP_CC_BLOB] = "cc_blob",
        [SETUP_IMA] = "ima",
        [SETUP_RNG_SEED] = "rng_seed",
    };

    if (type == PVBOOT_SETUP_TYPE)
        return "hypervisor";
    if (type == PVBOOT_SETUP_INDIRECT)
        return "indirect";
    return type < sizeof(name) / sizeof(name[0]) ? name[type] : "unknown";
}

static const char *status_text(enum pvboot_handover_status s)
{
    static const char *const text[] = {
        [PVBOOT_HANDOVER_OK] = "ok",
        [PVBOOT_HANDOVER_ABSENT] = "absent",
        [PVBOOT_HANDOVER_LOOP] = "loop",
        [PVBOOT_HANDOVER_UNREADABLE] = "unreadable",
        [PVBOOT_HANDOVER_SHORT] = "too short",
        [PVBOOT_HANDOVER_BAD_MAGIC] = "bad magic",
        [PVBOOT_HANDOVER_BAD_VERSION] = "bad version",
        [PVBOOT_HANDOVER_BAD_CHECKSUM] = "bad checksum",
        [PVBOOT_HANDOVER_BAD_SIGNATURE] = "signature contradicts hypervisor type",
        [PVBOOT_HANDOVER_BAD_TLV] = "bad TLV",
    };

    return text[s];
}

static void decode_e820_ext(json_t *o, struct pvboot_bytes b)
{
    size_t n = b.len / sizeof(struct boot_e820_entry);
    json_t *a = json_array();

    for (size_t i = 0; i < n; i++) {
        struct boot_e820_entry entry = { 0 };

        pvboot_get(b, i * sizeof(entry), &entry, sizeof(entry));
        json_array_append_new(a, json_pack("{s:o, s:o, s:o}", "start", pvb_json_u64(entry.addr), "end",
                                           pvb_json_u64(entry.addr + entry.size), "type", pvb_json_u64(entry.type)));
    }
    if (b.len % sizeof(struct boot_e820_entry))
        pvb_lint(o, "e820_ext: %zu bytes are not whole entries of %zu", b.len, sizeof(struct boot_e820_entry));
    json_object_set_new(o, "e820", a);
}

static void decode_tlv(json_t *tlvs, const struct pvboot_tlv *t, uint64_t gpa)
{
    static const char *const key[] = {
        [PVBOOT_TLV_START_INFO] = "start_info",
        [PVBOOT_TLV_CONSOLE] = "console",
        [PVBOOT_TLV_XENSTORE] = "xenstore",
        [PVBOOT_TLV_BUILDER] = "builder",
        [PVBOOT_TLV_SHA256_KERNEL] = "sha256_kernel",
        [PVBOOT_TLV_SHA256_RAMDISK] = "sha256_ramdisk",
        [PVBOOT_TLV_SHA256_CMDLINE] = "sha256_cmdline",
    };
    struct pvboot_bytes value = { t->value, t->bytes };
    char name[24];
    json_t *j;

    snprintf(name, sizeof(name), "type_%u", t->type);
    if (t->type < sizeof(key) / sizeof(key[0]) && key[t->type])
        snprintf(name, sizeof(name), "%s", key[t->type]);
    if (t->type == PVBOOT_TLV_START_INFO)
        j = pvb_decode_start_info(value, gpa);
    else if (t->type == PVBOOT_TLV_BUILDER)
        j = pvb_json_text(value);
    else if ((t->type == PVBOOT_TLV_CONSOLE || t->type == PVBOOT_TLV_XENSTORE) &&
             t->bytes >= sizeof(struct pvboot_tlv_ring))
        j = json_pack("{s:o, s:o}", "gpa", pvb_json_u64(pvb_decode_u64(value, 0, 8)), "evtchn",
                      pvb_json_u64(pvb_decode_u64(value, 8, 4)));
    else
        j = pvb_json_hex(value);
    json_object_set_new(tlvs, name, j);
}

static const struct pvb_field handover_field[] = {
    { "magic", 0, 4 },       { "version", 4, 2 },     { "compatible", 6, 2 }, { "bytes", 8, 4 },  { "crc32", 12, 4 },
    { "hypervisor", 16, 4 }, { "signature", 20, 12 }, { "filler", 32, 4 },    { "flags", 36, 4 }, { "data_gpa", 40, 8 },
    { "data_bytes", 48, 4 }, { "tlv_off", 52, 4 },    { "reserved", 56, 8 },
};

/* Lints of a structure inside this one, told as this one's. */
static void take_lint(json_t *o, const json_t *inner)
{
    json_t *text;
    size_t i;

    json_array_foreach(json_object_get(inner, "lint"), i, text) pvb_lint(o, "start info: %s", json_string_value(text));
}

static void decode_handover(json_t *o, struct pvboot_bytes b, uint64_t gpa)
{
    struct pvboot_handover h;
    enum pvboot_handover_status s = pvboot_handover_check(b.p, b.len, &h);
    json_t *tlvs = json_object();
    struct pvboot_tlv t;
    uint32_t off;

    json_object_set_new(o, "status", json_string(status_text(s)));
    json_object_set_new(o, "tlvs", tlvs);
    if (b.len >= sizeof(h))
        pvb_decode_fields(o, b, handover_field, sizeof(handover_field) / sizeof(handover_field[0]), sizeof(h));
    if (s != PVBOOT_HANDOVER_OK) {
        pvb_lint(o, "hypervisor node: %s", status_text(s));
        return;
    }
    json_object_set_new(o, "signature", pvb_json_text((struct pvboot_bytes){ (uint8_t *)h.signature, 12 }));
    for (off = h.tlv_off; pvboot_handover_next_tlv(b.p, h.bytes, &off, &t) > 0;)
        decode_tlv(tlvs, &t, gpa ? gpa + (uint64_t)(t.value - b.p) : 0);
    take_lint(o, json_object_get(tlvs, "start_info"));
    if (h.data_gpa % 8)
        pvb_lint(o, "hypervisor node: data_gpa %#" PRIx64 " is not 8-byte aligned", h.data_gpa);
    if (h.flags || h.reserved || h.version > PVBOOT_HANDOVER_VERSION)
        pvb_lint(o, "hypervisor node: flags %#x, version %u: something younger than this tool", h.flags, h.version);
}

/* Long ones as their digest: overlapping nodes could otherwise ask for any amount of text. */
static json_t *payload_text(struct pvboot_bytes b)
{
    char sha256[65];

    if (b.len <= PVB_PAGE)
        return pvb_json_hex(b);
    pvb_sha256_hex(b, sha256);
    return json_sprintf("sha256:%s", sha256);
}

static void decode_payload(json_t *o, struct pvboot_bytes b, uint32_t type, uint64_t gpa)
{
    json_object_set_new(o, "type", pvb_json_u64(type));
    json_object_set_new(o, "type_name", json_string(type_name(type)));
    json_object_set_new(o, "data", payload_text(b));
    if (type == SETUP_E820_EXT)
        decode_e820_ext(o, b);
    if (type == PVBOOT_SETUP_TYPE)
        decode_handover(o, b, gpa);
}

json_t *pvb_decode_setup_payload(struct pvboot_bytes b, uint32_t type, uint64_t base_gpa)
{
    json_t *o = pvb_decode_begin("setup_data payload", b, base_gpa);

    decode_payload(o, b, type, base_gpa);
    return o;
}

/* The file, as a guest memory of which nothing else can be read. */
struct span {
    struct pvboot_bytes b;
    uint64_t base_gpa;
    uint64_t left; /* bytes still to be decoded: nodes that overlap could otherwise ask for any amount of memory */
};

static const uint8_t *span_at(const void *ctx, uint64_t gpa, uint64_t n)
{
    const struct span *s = ctx;

    return gpa >= s->base_gpa && pvboot_has(s->b, gpa - s->base_gpa, n) ? s->b.p + (gpa - s->base_gpa) : NULL;
}

static json_t *decode_node(json_t *o, const struct pvboot_setup_node *node, struct span *span)
{
    const uint8_t *p = span_at(span, node->data_gpa, node->bytes);
    bool again = p && node->bytes > span->left;
    struct pvboot_bytes b = { p, p && !again ? (size_t)node->bytes : 0 };
    json_t *j = pvb_decode_begin("setup_data node", b, node->gpa), *text;
    size_t i;

    json_object_set_new(j, "next", pvb_json_u64(node->next_gpa));
    json_object_set_new(j, "entry_type", pvb_json_u64(node->entry_type));
    json_object_set_new(j, "data_gpa", pvb_json_u64(node->data_gpa));
    json_object_set_new(j, "len", pvb_json_u64(node->bytes));
    if (node->gpa % 8)
        pvb_lint(j, "node at %#" PRIx64 " is not 8-byte aligned", node->gpa);
    if (!p)
        pvb_lint(j, "node at %#" PRIx64 ": its %" PRIu64 " bytes at %#" PRIx64 " are not in this file", node->gpa,
                 node->bytes, node->data_gpa);
    if (again)
        pvb_lint(j, "node at %#" PRIx64 ": its %" PRIu64 " bytes are other nodes' as well, and not decoded again",
                 node->gpa, node->bytes);
    span->left -= b.len;
    decode_payload(j, b, node->type, node->data_gpa);
    json_array_foreach(json_object_get(j, "lint"), i, text) pvb_lint(o, "%s", json_string_value(text));
    return j;
}

json_t *pvb_decode_setup_data(struct pvboot_bytes b, uint64_t base_gpa)
{
    struct span span = { b, base_gpa, b.len };
    const struct pvboot_view v = { span_at, &span };
    struct pvboot_setup_walk w = { .next_gpa = base_gpa };
    json_t *o = pvb_decode_begin("setup_data", b, base_gpa), *nodes = json_array();
    struct pvboot_setup_node node;
    enum pvboot_handover_status s;
    uint64_t at_gpa = base_gpa;

    while ((s = pvboot_setup_next(&w, v, &node)) == PVBOOT_HANDOVER_OK) {
        json_array_append_new(nodes, decode_node(o, &node, &span));
        at_gpa = w.next_gpa;
    }
    json_object_set_new(o, "nodes", nodes);
    if (s != PVBOOT_HANDOVER_ABSENT)
        pvb_lint(o, "chain at %#" PRIx64 ": %s", at_gpa, status_text(s));
    return o;
}
