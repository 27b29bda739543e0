/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The hypervisor node: who made this guest's zero page, on which hypervisor, and where its data is.
 *
 * Freestanding and complete in itself (<stddef.h>, <stdint.h>), C99 or C++11 and later, x86 only: a kernel, a stub or a
 * unikernel copies this file.  The reader below checks everything before it believes anything; it allocates nothing and
 * calls nothing, not even memcpy(): it copies field by field.
 *
 * The node is one entry of the setup_data chain (Linux Documentation/arch/x86/boot.rst, protocol 2.09) or the target
 * of a SETUP_INDIRECT entry.  Kernels that do not know its type step over it, reserve its memory and export it in
 * /sys/kernel/boot_params/setup_data/N/{type,data}.  Its payload, little endian, at an address divisible by 8:
 *
 *    0  u32      magic         "PVBH"
 *    4  u16      version       1
 *    6  u16      compatible    oldest version whose readers understand this payload
 *    8  u32      bytes         of the payload, TLVs included; the entry's len may be larger
 *   12  u32      crc32         CRC-32 (IEEE 802.3, as zlib's) of those bytes with this field zero
 *   16  u32      hypervisor    EBX of CPUID leaf 0x40000000: the first four characters of the signature; 0: none
 *   20  char[12] signature     EBX, ECX, EDX of that leaf: "XenVMMXenVMM"
 *   32  u32      filler        who filled the zero page: enum pvboot_filler
 *   36  u32      flags         0; readers ignore bits they do not know
 *   40  u64      data_gpa      the hypervisor's own start of day structure; for Xen an hvm_start_info; 0: none
 *   48  u32      data_bytes    from data_gpa on, with whatever the structure points to beside it
 *   52  u32      tlv_off       of the first TLV: 64 in version 1, a multiple of 8
 *   56  u64      reserved      0
 *   64  TLVs     { u32 type, u32 bytes, value, zeroes up to a multiple of 8 }, up to `bytes`
 *
 * Keyed to the CPUID signature, the hypervisor type needs no registry.  A writer that only adds raises `version`; one
 * that breaks readers raises `compatible` too.  Readers skip TLV types they do not know.  Nothing here is secret:
 * Linux lets every user read it.
 */
#ifndef PVBOOT_HANDOVER_H
#define PVBOOT_HANDOVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PVBOOT_SETUP_TYPE 0x50595648u /* entry type, "HVYP" in memory: bit 30 set, so outside Linux's dense range */
#define PVBOOT_SETUP_INDIRECT 0x80000000u
#define PVBOOT_SETUP_NODES_MAX 1024u /* entries a walk looks at */

#define PVBOOT_HANDOVER_MAGIC 0x48425650u
#define PVBOOT_HANDOVER_VERSION 1u
#define PVBOOT_HANDOVER_COMPATIBLE 1u
#define PVBOOT_HYPERVISOR_ID_XEN 0x566e6558u /* "XenV" */

enum pvboot_filler {
    PVBOOT_FILLER_TOOLSTACK = 1, /* outside, before the first instruction */
    PVBOOT_FILLER_STUB = 2,      /* inside, before the kernel */
    PVBOOT_FILLER_LOADER = 3,    /* a boot loader */
};

enum pvboot_tlv_type {
    PVBOOT_TLV_START_INFO = 1,    /* the data itself; data_gpa points at this value */
    PVBOOT_TLV_CONSOLE = 2,       /* struct pvboot_tlv_ring */
    PVBOOT_TLV_XENSTORE = 3,      /* struct pvboot_tlv_ring */
    PVBOOT_TLV_BUILDER = 4,       /* name and version, text without NUL */
    PVBOOT_TLV_SHA256_KERNEL = 5, /* 32 bytes: of the kernel file */
    PVBOOT_TLV_SHA256_RAMDISK = 6,
    PVBOOT_TLV_SHA256_CMDLINE = 7, /* without NUL */
};

struct pvboot_handover {
    uint32_t magic;
    uint16_t version, compatible;
    uint32_t bytes, crc32;
    uint32_t hypervisor;
    char signature[12];
    uint32_t filler, flags;
    uint64_t data_gpa;
    uint32_t data_bytes, tlv_off;
    uint64_t reserved;
};
/* The table above; C99 has no static assertion. */
typedef char pvboot_handover_is_64_bytes[sizeof(struct pvboot_handover) == 64 ? 1 : -1];
typedef char pvboot_handover_data_is_at_40[offsetof(struct pvboot_handover, data_gpa) == 40 ? 1 : -1];

struct pvboot_tlv_ring {
    uint64_t gpa;    /* of the shared page */
    uint32_t evtchn; /* 0: ask the hypervisor */
    uint32_t reserved;
};

/* A TLV that was found; @value lies in the payload. */
struct pvboot_tlv {
    uint32_t type, bytes;
    const uint8_t *value;
};

enum pvboot_handover_status {
    PVBOOT_HANDOVER_OK,
    PVBOOT_HANDOVER_ABSENT,     /* the chain ends without such a node */
    PVBOOT_HANDOVER_LOOP,       /* the chain comes back to itself or is longer than PVBOOT_SETUP_NODES_MAX */
    PVBOOT_HANDOVER_UNREADABLE, /* a node lies where nothing can be read */
    PVBOOT_HANDOVER_SHORT,      /* the payload is shorter than it has to be or says it is */
    PVBOOT_HANDOVER_BAD_MAGIC,
    PVBOOT_HANDOVER_BAD_VERSION, /* too new for this reader, or contradicts itself */
    PVBOOT_HANDOVER_BAD_CHECKSUM,
    PVBOOT_HANDOVER_BAD_SIGNATURE, /* not what the hypervisor type says */
    PVBOOT_HANDOVER_BAD_TLV,       /* a TLV does not end within the payload */
};

/* Little endian, at any alignment. */
static inline uint32_t pvboot_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t pvboot_le64(const uint8_t *p)
{
    return (uint64_t)pvboot_le32(p) | (uint64_t)pvboot_le32(p + 4) << 32;
}

static inline uint32_t pvboot_crc32(uint32_t crc, const void *p, size_t n)
{
    const uint8_t *b = (const uint8_t *)p;

    crc = ~crc;
    while (n--) {
        crc ^= *b++;
        for (int i = 0; i < 8; i++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

/* The checksum of @n bytes of payload as they would be with the crc32 field zero; @n is at least 16. */
static inline uint32_t pvboot_handover_checksum(const uint8_t *payload, size_t n)
{
    static const uint8_t zero[4] = { 0, 0, 0, 0 };
    uint32_t crc = pvboot_crc32(0, payload, 12);

    crc = pvboot_crc32(crc, zero, sizeof(zero));
    return pvboot_crc32(crc, payload + 16, n - 16);
}

/* The TLV at @off of a payload of @bytes; moves @off on.  1: @t holds it; 0: there are no more; -1: broken. */
static inline int pvboot_handover_next_tlv(const uint8_t *payload, uint32_t bytes, uint32_t *off, struct pvboot_tlv *t)
{
    const uint32_t head = 8; /* type and bytes */
    uint32_t n, room;

    if (*off >= bytes)
        return *off == bytes ? 0 : -1;
    room = bytes - *off;
    if (room < head)
        return -1;
    n = pvboot_le32(payload + *off + 4);
    room -= head;
    if (n > room || ((8u - (n & 7u)) & 7u) > room - n)
        return -1;
    t->type = pvboot_le32(payload + *off);
    t->bytes = n;
    t->value = payload + *off + head;
    *off += head + ((n + 7u) & ~7u);
    return 1;
}

/* The fixed part of the table above, which is there, as it stands. */
static inline void pvboot_handover_head(const uint8_t *payload, struct pvboot_handover *h)
{
    h->magic = pvboot_le32(payload);
    h->version = (uint16_t)(payload[4] | payload[5] << 8);
    h->compatible = (uint16_t)(payload[6] | payload[7] << 8);
    h->bytes = pvboot_le32(payload + 8);
    h->crc32 = pvboot_le32(payload + 12);
    h->hypervisor = pvboot_le32(payload + 16);
    for (int i = 0; i < 12; i++)
        h->signature[i] = (char)payload[20 + i];
    h->filler = pvboot_le32(payload + 32);
    h->flags = pvboot_le32(payload + 36);
    h->data_gpa = pvboot_le64(payload + 40);
    h->data_bytes = pvboot_le32(payload + 48);
    h->tlv_off = pvboot_le32(payload + 52);
    h->reserved = pvboot_le64(payload + 56);
}

/* Is the payload of @n bytes at @payload (any alignment) a node this reader may believe?  @h gets its fixed part. */
static inline enum pvboot_handover_status pvboot_handover_check(const uint8_t *payload, uint64_t n,
                                                                struct pvboot_handover *h)
{
    struct pvboot_tlv t;
    uint32_t off;
    int r;

    if (n < sizeof(*h))
        return PVBOOT_HANDOVER_SHORT;
    pvboot_handover_head(payload, h);
    if (h->magic != PVBOOT_HANDOVER_MAGIC)
        return PVBOOT_HANDOVER_BAD_MAGIC;
    if (!h->compatible || h->compatible > PVBOOT_HANDOVER_VERSION || h->version < h->compatible)
        return PVBOOT_HANDOVER_BAD_VERSION;
    if (h->bytes < sizeof(*h) || h->bytes > n)
        return PVBOOT_HANDOVER_SHORT;
    if (pvboot_handover_checksum(payload, h->bytes) != h->crc32)
        return PVBOOT_HANDOVER_BAD_CHECKSUM;
    if (h->hypervisor != pvboot_le32(payload + 20)) /* the signature's first four */
        return PVBOOT_HANDOVER_BAD_SIGNATURE;
    if (h->tlv_off < sizeof(*h) || h->tlv_off % 8)
        return PVBOOT_HANDOVER_BAD_TLV;
    off = h->tlv_off;
    do
        r = pvboot_handover_next_tlv(payload, h->bytes, &off, &t);
    while (r > 0);
    return r ? PVBOOT_HANDOVER_BAD_TLV : PVBOOT_HANDOVER_OK;
}

/* The first TLV of @type in a checked payload: 1 and @t, or 0. */
static inline int pvboot_handover_tlv(const uint8_t *payload, uint32_t type, struct pvboot_tlv *t)
{
    uint32_t bytes = pvboot_le32(payload + offsetof(struct pvboot_handover, bytes));
    uint32_t off = pvboot_le32(payload + offsetof(struct pvboot_handover, tlv_off));

    while (pvboot_handover_next_tlv(payload, bytes, &off, t) > 0)
        if (t->type == type)
            return 1;
    return 0;
}

/* How a walk reads guest memory: where @n bytes at @gpa can be read, or NULL. */
struct pvboot_view {
    const uint8_t *(*at)(const void *ctx, uint64_t gpa, uint64_t n);
    const void *ctx;
};

/* Early boot: guest physical addresses are pointers, as far as a pointer reaches. */
static inline const uint8_t *pvboot_identity_at(const void *ctx, uint64_t gpa, uint64_t n)
{
    (void)ctx;
    if (!gpa || gpa > UINTPTR_MAX || n > UINTPTR_MAX - gpa)
        return NULL;
    return (const uint8_t *)(uintptr_t)gpa;
}

/* One entry of the chain: its header, and where its payload is, which for SETUP_INDIRECT is somewhere else. */
struct pvboot_setup_node {
    uint64_t gpa, next_gpa;
    uint32_t entry_type, type; /* as in the entry; as meant: SETUP_INDIRECT resolved */
    uint64_t data_gpa, bytes;
};

/* Start with the zero page's setup_data in next_gpa and zeroes; the rest is the walk's own. */
struct pvboot_setup_walk {
    uint64_t next_gpa;
    uint64_t mark_gpa;
    uint32_t seen, mark_at;
};

/*
 * The next entry of the chain: _OK and @node, _ABSENT at its end, _LOOP, _UNREADABLE.  Loops are found by Brent's
 * method: the walk is compared with a mark that moves at each power of two.
 */
static inline enum pvboot_handover_status pvboot_setup_next(struct pvboot_setup_walk *w, struct pvboot_view v,
                                                            struct pvboot_setup_node *node)
{
    const uint64_t entry_bytes = 16; /* u64 next, u32 type, u32 len */
    const uint64_t inner_bytes = 24; /* of SETUP_INDIRECT: u32 type, u32 reserved, u64 len, u64 addr */
    const uint8_t *p;

    if (!w->next_gpa)
        return PVBOOT_HANDOVER_ABSENT;
    if (w->seen >= PVBOOT_SETUP_NODES_MAX || (w->seen && w->next_gpa == w->mark_gpa))
        return PVBOOT_HANDOVER_LOOP;
    if (w->seen++ == w->mark_at) {
        w->mark_gpa = w->next_gpa;
        w->mark_at = 2 * w->mark_at + 1;
    }
    p = v.at(v.ctx, w->next_gpa, entry_bytes);
    if (!p)
        return PVBOOT_HANDOVER_UNREADABLE;
    node->gpa = w->next_gpa;
    node->next_gpa = pvboot_le64(p);
    node->entry_type = node->type = pvboot_le32(p + 8);
    node->data_gpa = node->gpa + entry_bytes;
    node->bytes = pvboot_le32(p + 12);
    w->next_gpa = node->next_gpa;
    if (node->type != PVBOOT_SETUP_INDIRECT || node->bytes < inner_bytes)
        return PVBOOT_HANDOVER_OK;
    p = v.at(v.ctx, node->data_gpa, inner_bytes);
    if (!p)
        return PVBOOT_HANDOVER_UNREADABLE;
    node->type = pvboot_le32(p) & ~PVBOOT_SETUP_INDIRECT;
    node->bytes = pvboot_le64(p + 8);
    node->data_gpa = pvboot_le64(p + 16);
    return PVBOOT_HANDOVER_OK;
}

/*
 * The hypervisor node of the chain that starts at @head_gpa, checked: _OK, @h, and @payload, which points into
 * what @v gave.  Anything else: do not use them.
 */
static inline enum pvboot_handover_status pvboot_handover_find(uint64_t head_gpa, struct pvboot_view v,
                                                               struct pvboot_handover *h, const uint8_t **payload)
{
    struct pvboot_setup_walk w;
    struct pvboot_setup_node node;
    enum pvboot_handover_status s;

    w.next_gpa = head_gpa;
    w.mark_gpa = 0;
    w.seen = w.mark_at = 0;
    do
        s = pvboot_setup_next(&w, v, &node);
    while (s == PVBOOT_HANDOVER_OK && node.type != PVBOOT_SETUP_TYPE);
    if (s != PVBOOT_HANDOVER_OK)
        return s;
    *payload = v.at(v.ctx, node.data_gpa, node.bytes);
    return *payload ? pvboot_handover_check(*payload, node.bytes, h) : PVBOOT_HANDOVER_UNREADABLE;
}

#ifdef __cplusplus
}
#endif

#endif
