/* SPDX-License-Identifier: LGPL-2.1-only */
/* `pvboot decode` of any bytes: every byte shows, each lint is one line, and nothing outside is looked at. */
#include "builder/describe/decode.h"
#include "fuzz.h"

#include <stdlib.h>

enum kind { ZERO_PAGE, START_INFO, CHAIN, PAYLOAD, KINDS };

static json_t *decode(enum kind kind, struct pvboot_bytes b, uint32_t type, uint64_t base_gpa)
{
    switch (kind) {
    case ZERO_PAGE:
        return pvb_decode_zero_page(b, base_gpa);
    case START_INFO:
        return pvb_decode_start_info(b, base_gpa);
    case CHAIN:
        return pvb_decode_setup_data(b, base_gpa);
    default:
        return pvb_decode_setup_payload(b, type, base_gpa);
    }
}

/* decode.h: two objects are equal exactly when the inputs were.  So far as the structure of each kind goes. */
static size_t shown(enum kind kind, struct pvboot_bytes b)
{
    if (kind == ZERO_PAGE)
        return b.len == PVB_PAGE ? b.len : 0;
    if (kind == START_INFO)
        return b.len < 56 ? 0 : pvb_decode_u64(b, 4, 4) ? 56 : 40;
    return kind == PAYLOAD ? b.len : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pvboot_bytes in = { data, size };
    uint8_t kind = fuzz_byte(&in) % KINDS, *copy;
    uint64_t base_gpa;
    uint16_t at;
    uint32_t type;
    json_t *one, *two;

    fuzz_take(&in, &base_gpa, sizeof(base_gpa));
    fuzz_take(&in, &type, sizeof(type));
    fuzz_take(&in, &at, sizeof(at));
    if (kind == CHAIN && !base_gpa)
        base_gpa = PVB_PAGE;
    copy = malloc(in.len);
    if (in.len)
        memcpy(copy, in.p, in.len);
    one = decode(kind, (struct pvboot_bytes){ copy, in.len }, type, base_gpa);
    if (shown(kind, in)) {
        bool same_version = kind != START_INFO || (at % shown(kind, in)) / 4 != 1;

        copy[at % shown(kind, in)] ^= 1;
        two = decode(kind, (struct pvboot_bytes){ copy, in.len }, type, base_gpa);
        FUZZ_MUST(!same_version || !json_equal(one, two));
        fuzz_judge_json(two);
    }
    fuzz_judge_json(one);
    free(copy);
    return 0;
}
