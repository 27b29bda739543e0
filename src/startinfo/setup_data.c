/* SPDX-License-Identifier: LGPL-2.1-only */
#include "setup_data.h"
#include "abi.h"

#include <string.h>

#define NODE_ALIGN 8u
#define SHA256_BYTES 32u

_Static_assert(PVBOOT_SETUP_INDIRECT == (uint32_t)SETUP_INDIRECT, "handover.h repeats it to stand alone");

static uint64_t begin_node(struct pvb_chain *c)
{
    return pvb_reserve(c->blob, sizeof(struct setup_data), NODE_ALIGN);
}

/* The node's data is in place: give it its header and hook it to the chain. */
static uint64_t end_node(struct pvb_chain *c, uint64_t node_gpa, uint32_t type)
{
    uint64_t end_gpa = c->blob->gpa + c->blob->used;
    struct setup_data node = { .type = type };

    if (!node_gpa || !pvb_blob_ok(c->blob))
        return 0;
    node.len = (uint32_t)(end_gpa - node_gpa - sizeof(node));
    pvb_poke(c->blob, node_gpa, &node, sizeof(node));
    if (c->last_gpa)
        pvb_poke(c->blob, c->last_gpa + offsetof(struct setup_data, next), &node_gpa, sizeof(node_gpa));
    else
        c->head_gpa = node_gpa;
    c->last_gpa = node_gpa;
    return node_gpa;
}

uint64_t pvb_chain_put(struct pvb_chain *c, uint32_t type, const void *data, size_t n)
{
    uint64_t node_gpa = begin_node(c);

    pvb_put(c->blob, data, n, 1);
    return end_node(c, node_gpa, type);
}

void pvb_chain_put_e820(struct pvb_chain *c, const struct pvboot_range *e820, size_t n)
{
    uint64_t node_gpa;

    if (n <= E820_MAX_ENTRIES_ZEROPAGE)
        return;
    node_gpa = begin_node(c);
    for (size_t i = E820_MAX_ENTRIES_ZEROPAGE; i < n; i++) {
        const struct boot_e820_entry entry = { .addr = e820[i].start,
                                               .size = e820[i].end - e820[i].start,
                                               .type = e820[i].type };

        pvb_put(c->blob, &entry, sizeof(entry), 1);
    }
    end_node(c, node_gpa, SETUP_E820_EXT);
}

static void put_tlv(struct pvb_blob *b, uint32_t type, const void *value, size_t n)
{
    const uint32_t head[2] = { type, (uint32_t)n };

    pvb_put(b, head, sizeof(head), NODE_ALIGN);
    pvb_put(b, value, n, 1);
    pvb_reserve(b, 0, NODE_ALIGN);
}

static void put_ring(struct pvb_blob *b, uint32_t type, uint64_t gpa, uint32_t evtchn)
{
    const struct pvboot_tlv_ring ring = { .gpa = gpa, .evtchn = evtchn };

    if (gpa)
        put_tlv(b, type, &ring, sizeof(ring));
}

static void put_digest(struct pvb_blob *b, uint32_t type, const uint8_t *sha256)
{
    if (sha256)
        put_tlv(b, type, sha256, SHA256_BYTES);
}

/* The start info as a TLV value: kernels reserve the node's memory, and nothing else of ours. */
static void put_data(struct pvb_blob *b, const struct pvb_start_info *si, struct pvboot_handover *h)
{
    uint64_t tlv_gpa, si_gpa;
    uint32_t head[2] = { PVBOOT_TLV_START_INFO, 0 };

    if (!si || !pvb_start_info_built_in())
        return;
    tlv_gpa = pvb_reserve(b, sizeof(head), NODE_ALIGN);
    si_gpa = pvb_put_start_info(b, si);
    head[1] = (uint32_t)(b->gpa + b->used - si_gpa);
    pvb_poke(b, tlv_gpa, head, sizeof(head));
    pvb_reserve(b, 0, NODE_ALIGN);
    h->data_gpa = si_gpa;
    h->data_bytes = head[1];
}

uint64_t pvb_chain_put_handover(struct pvb_chain *c, const struct pvb_handover *in)
{
    struct pvb_blob *b = c->blob;
    uint64_t node_gpa = begin_node(c);
    uint64_t payload_gpa = pvb_reserve(b, sizeof(struct pvboot_handover), NODE_ALIGN);
    struct pvboot_handover h = {
        .magic = PVBOOT_HANDOVER_MAGIC,
        .version = PVBOOT_HANDOVER_VERSION,
        .compatible = PVBOOT_HANDOVER_COMPATIBLE,
        .filler = in->filler,
        .tlv_off = sizeof(h),
    };

    memcpy(h.signature, in->signature, sizeof(h.signature));
    memcpy(&h.hypervisor, in->signature, sizeof(h.hypervisor));
    put_data(b, in->start_info, &h);
    put_ring(b, PVBOOT_TLV_CONSOLE, in->console_gpa, in->console_evtchn);
    put_ring(b, PVBOOT_TLV_XENSTORE, in->xenstore_gpa, in->xenstore_evtchn);
    put_tlv(b, PVBOOT_TLV_BUILDER, in->builder, strlen(in->builder));
    put_digest(b, PVBOOT_TLV_SHA256_KERNEL, in->sha256_kernel);
    put_digest(b, PVBOOT_TLV_SHA256_RAMDISK, in->sha256_ramdisk);
    put_digest(b, PVBOOT_TLV_SHA256_CMDLINE, in->sha256_cmdline);
    if (!payload_gpa || !pvb_blob_ok(b))
        return 0;
    h.bytes = (uint32_t)(b->gpa + b->used - payload_gpa);
    pvb_poke(b, payload_gpa, &h, sizeof(h));
    if (b->buf) {
        h.crc32 = pvboot_handover_checksum(b->buf + (payload_gpa - b->gpa), h.bytes);
        pvb_poke(b, payload_gpa, &h, sizeof(h));
    }
    return end_node(c, node_gpa, PVBOOT_SETUP_TYPE);
}
