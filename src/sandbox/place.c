/* SPDX-License-Identifier: LGPL-2.1-only */
/* A packed kernel from its file to the guest's own pages, by way of the helper alone. */
#include "../builder/file/file.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static_assert(sizeof(struct pvb_frames) <= PIPE_BUF, "a pipe takes the frames at once, without a reader");

static uint64_t page_of(uint64_t x)
{
    return x & ~(PVB_PAGE - 1);
}

/* All of its memory is RAM of the guest's, and it lies in its file as it will in memory. */
static bool fits(const struct pvboot_load *l, const struct pvboot_memmap *map)
{
    uint64_t end;

    return pvb_add(l->gpa, l->mem_bytes, &end) && pvb_align_up(end, PVB_PAGE, &end) &&
           pvboot_memmap_inside(map, page_of(l->gpa), end, PVBOOT_RAM) &&
           (!l->file_bytes || !((l->off ^ l->gpa) & (PVB_PAGE - 1)));
}

/* In the order of the file, which the segments' need not be. */
static void insert_by_off(struct pvb_frames *f, const struct pvboot_load *l)
{
    struct pvb_frame_row row = { .off = page_of(l->off), .gpa = page_of(l->gpa) };
    uint32_t i = f->n++;

    row.bytes = page_of(l->gpa + l->file_bytes + PVB_PAGE - 1) - row.gpa;
    for (; i && f->row[i - 1].off > row.off; i--)
        f->row[i] = f->row[i - 1];
    f->row[i] = row;
}

/* False: it cannot be done by pages alone. */
static bool make_frames(struct pvb_frames *f, const struct pvboot_kernel *k, const struct pvboot_place *place)
{
    *f = (struct pvb_frames){ .domid = place->domid, .bytes = k->image.bz.unpacked_bytes };
    for (uint32_t i = 0; i < k->n_seen; i++) {
        if (!fits(&k->seen[i], place->map))
            return false;
        if (k->seen[i].file_bytes)
            insert_by_off(f, &k->seen[i]);
    }
    return !pvb_frames_wrong(f);
}

/* A pipe with the frames in it, for the helper to read. */
static int tell_frames(const struct pvb_frames *f, struct pvboot_error *e)
{
    int end[2], err = pvb_child_pipe(end, PVB_FDS + 1);
    ssize_t r;

    if (err)
        return pvb_fail(e, PVBOOT_E_HOST, "no pipe for the confined parser: %s", strerror(err));
    do
        r = write(end[1], f, sizeof(*f));
    while (r < 0 && errno == EINTR);
    err = errno;
    close(end[1]);
    if (r == (ssize_t)sizeof(*f))
        return end[0];
    close(end[0]);
    return pvb_fail(e, PVBOOT_E_HOST, "telling the confined parser where to: %s", strerror(err));
}

static bool same_loads(const struct pvboot_kernel *k, const struct pvboot_elf *elf)
{
    return elf->n_loads == k->n_seen && !memcmp(elf->load, k->seen, k->n_seen * sizeof(k->seen[0]));
}

static int take_placed(struct pvboot_kernel *k, const struct pvb_answer *a, const struct pvboot_confine *c,
                       struct pvboot_error *e)
{
    uint64_t most = pvboot_limit(c->limits.unpacked, PVBOOT_UNPACKED_MAX), bytes = k->image.bz.unpacked_bytes;
    struct pvboot_image img;
    int rc;

    if (a->step == PVB_STEP_MAP)
        return PVBOOT_NOT_PLACED;
    if (a->code)
        return pvb_pass_on(a, e);
    rc = pvb_image_verify(&img, &a->image, k->whole.len, most, e);
    if (rc)
        return rc;
    if (!img.has_elf || !img.has_bzimage || img.bz.unpacked_bytes != bytes || !same_loads(k, &img.elf))
        return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser's answer contradicts an earlier one: segments");
    k->image = img;
    k->elf = (struct pvboot_bytes){ NULL, (size_t)bytes };
    k->placed = true;
    return 0;
}

int pvboot_kernel_place(struct pvboot_kernel *k, const struct pvboot_file *f, struct pvboot_confine *c,
                        const struct pvboot_place *place, struct pvboot_error *e)
{
    struct pvb_run run = { .in = f->held ? f->fd : f->memfd, .errand = PVB_PLACE };
    struct pvb_frames frames;
    struct pvb_answer a;
    int rc;

    if (c->sandbox == PVBOOT_SANDBOX_OFF || !k->n_seen || !make_frames(&frames, k, place))
        return PVBOOT_NOT_PLACED;
    if (!pvb_still_held(f)) /* somebody waits to write: the helper takes no file that may change under it */
        return PVBOOT_NOT_PLACED;
    run.out = tell_frames(&frames, e);
    if (run.out < 0)
        return run.out;
    rc = pvb_ask(&a, c, run, e);
    close(run.out);
    return rc ? rc : take_placed(k, &a, c, e);
}
