/* SPDX-License-Identifier: LGPL-2.1-only */
/* The rule for a table of frames, which either side asks: who makes one, and the helper before it maps. */
#include "answer.h"

static bool whole_pages(const struct pvb_frame_row *r)
{
    return r->bytes && !((r->off | r->gpa | r->bytes) & (PVB_PAGE - 1));
}

/* Two ranges of guest memory, neither of which wraps. */
static bool apart(const struct pvb_frame_row *a, const struct pvb_frame_row *b)
{
    return a->gpa + a->bytes <= b->gpa || b->gpa + b->bytes <= a->gpa;
}

const char *pvb_frames_wrong(const struct pvb_frames *f)
{
    uint64_t room, end = 0, wraps;

    if (!f->n || f->n > PVBOOT_LOADS_MAX)
        return "number of rows";
    if (!f->bytes || f->bytes > PVBOOT_UNPACKED_HARD_MAX || !pvb_align_up(f->bytes, PVB_PAGE, &room))
        return "size of what is unpacked";
    for (uint32_t i = 0; i < f->n; i++) {
        const struct pvb_frame_row *r = &f->row[i];

        if (!whole_pages(r))
            return "a row that is not whole pages";
        if (r->off < end || r->off > room || r->bytes > room - r->off)
            return "a row out of order, over another or behind the end";
        if (!pvb_add(r->gpa, r->bytes, &wraps))
            return "a row that wraps";
        for (uint32_t j = 0; j < i; j++)
            if (!apart(r, &f->row[j]))
                return "a frame twice";
        end = r->off + r->bytes;
    }
    return NULL;
}
