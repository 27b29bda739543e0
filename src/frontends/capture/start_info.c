/* SPDX-License-Identifier: LGPL-2.1-only */
/* struct start_info of Xen's public xen.h: what a PV guest's RSI points to. */
#include "capture.h"

#define FIELD(f) PVB_ROW(#f, offsetof(start_info_t, f), sizeof(((start_info_t *)0)->f))
static const struct {
    const char *name;
    size_t off, bytes;
} field[] = {
    FIELD(nr_pages),
    FIELD(shared_info),
    FIELD(flags),
    FIELD(store_mfn),
    FIELD(store_evtchn),
    FIELD(console.domU.mfn),
    FIELD(console.domU.evtchn),
    FIELD(pt_base),
    FIELD(nr_pt_frames),
    FIELD(mfn_list),
    FIELD(mod_start),
    FIELD(mod_len),
    FIELD(first_p2m_pfn),
    FIELD(nr_p2m_frames),
};

static json_t *text(const void *s, size_t max)
{
    return pvb_json_text((struct pvboot_bytes){ s, strnlen(s, max) });
}

int capture_start_info(const struct capture *c, uint64_t address, json_t *o, struct pvboot_error *e)
{
    start_info_t si;
    int rc = capture_read(c, address, &si, sizeof(si), e);

    if (rc)
        return rc;
    json_object_set_new(o, "magic", text(si.magic, sizeof(si.magic)));
    json_object_set_new(o, "cmd_line", text(si.cmd_line, sizeof(si.cmd_line)));
    for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
        uint64_t value = 0;

        memcpy(&value, (const uint8_t *)&si + field[i].off, field[i].bytes);
        json_object_set_new(o, field[i].name, pvb_json_u64(value));
    }
    return 0;
}
