/* SPDX-License-Identifier: LGPL-2.1-only */
/* The decoders themselves: a declared size, then any bytes as a payload, which says by its magic whose it is. */
#include "builder/image/codec.h"
#include "fuzz.h"

#include <stdlib.h>

#define ROOM_MAX (1u << 20)
#define WINDOW 4096u

static struct pvb_output room; /* what ->put puts to, which is not told where */
static uint64_t put_up_to;

static int put(uint64_t at, const void *bytes, size_t n, struct pvboot_error *e)
{
    (void)e;
    FUZZ_MUST(at == put_up_to && n <= room.len - at && n <= WINDOW);
    memcpy(room.p + at, bytes, n);
    put_up_to += n;
    return 0;
}

static int unpack(const struct pvboot_bzimage *bz, struct pvboot_bytes payload, uint8_t *p, uint8_t fill, bool puts)
{
    struct pvboot_error e = { 0 };
    struct pvb_output out;
    int rc;

    room = out =
        (struct pvb_output){ .p = p, .len = (size_t)bz->unpacked_bytes, .window = WINDOW, .put = puts ? put : NULL };
    put_up_to = 0;
    memset(p, fill, out.len);
    rc = pvb_unpack(bz, payload, PVBOOT_UNPACKED_MAX, &out, &e);
    fuzz_judge(rc, &e);
    FUZZ_MUST(out.p == p && out.len == room.len);
    FUZZ_MUST(rc || !put_up_to || put_up_to == out.len);
    return rc;
}

/* The beginning alone, of a stream and of half of it: @want's, if that is what the stream holds. */
static void peek(const struct pvboot_bzimage *bz, struct pvboot_bytes payload, const uint8_t *want)
{
    uint8_t head[512];
    size_t len = bz->unpacked_bytes < sizeof(head) ? (size_t)bz->unpacked_bytes : sizeof(head), n;

    for (unsigned i = 0; i < 2; i++, payload.len /= 2) {
        memset(head, 0x33, sizeof(head));
        n = pvb_unpack_beginning(bz, payload, PVBOOT_UNPACKED_MAX, (struct pvb_output){ .p = head, .len = len });
        FUZZ_MUST(n <= len);
        if (want && n == len)
            FUZZ_MUST(!memcmp(head, want, n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pvboot_bytes payload = { data, size };
    struct pvboot_bzimage bz = { .payload_off = 0x400 };
    uint32_t declared;
    uint8_t *a, *b;
    int rc;

    fuzz_take(&payload, &declared, sizeof(declared));
    if (payload.len < 8) /* the header's parser sees to that */
        return 0;
    bz.payload_bytes = payload.len;
    bz.codec = pvb_codec_find(payload);
    bz.unpacked_bytes = declared % (ROOM_MAX + 1);
    a = malloc((size_t)bz.unpacked_bytes);
    b = malloc((size_t)bz.unpacked_bytes);
    rc = unpack(&bz, payload, a, 0x55, false);
    FUZZ_MUST(unpack(&bz, payload, b, 0xaa, true) == rc);
    if (!rc) /* every byte comes from the stream, none was there before */
        FUZZ_MUST(!memcmp(a, b, (size_t)bz.unpacked_bytes));
    peek(&bz, payload, rc ? NULL : a);
    free(a);
    free(b);
    return 0;
}
