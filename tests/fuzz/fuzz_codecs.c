/* SPDX-License-Identifier: LGPL-2.1-only */
/* The decoders themselves: a declared size, then any bytes as a payload, which says by its magic whose it is. */
#include "builder/parse.h"
#include "fuzz.h"

#include <stdlib.h>

#define ROOM_MAX (1u << 20)

static int unpack(const struct pvboot_bzimage *bz, struct pvboot_bytes payload, uint8_t *room, uint8_t fill)
{
    struct pvboot_error e = { 0 };
    void *out = room;
    int rc;

    memset(room, fill, (size_t)bz->unpacked_bytes);
    rc = pvb_unpack(bz, payload, PVBOOT_UNPACKED_MAX, &out, &e);
    fuzz_judge(rc, &e);
    FUZZ_MUST(out == room);
    return rc;
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
    rc = unpack(&bz, payload, a, 0x55);
    if (!rc) { /* every byte comes from the stream, none was there before */
        FUZZ_MUST(!unpack(&bz, payload, b, 0xaa));
        FUZZ_MUST(!memcmp(a, b, (size_t)bz.unpacked_bytes));
    }
    free(a);
    free(b);
    return 0;
}
