/* SPDX-License-Identifier: LGPL-2.1-only */
/* The record as files: what would be in the guest at its first instruction. */
#include "../load/load.h"
#include "describe.h"
#include <pvboot/limits.h>
#include <pvboot/record.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MANIFEST "manifest.json"

struct dump {
    const struct pvboot_record *record;
    struct pvb_outdir dir;
    json_t *manifest, *segments;
};

static int no_memory(struct pvboot_error *e)
{
    return pvb_fail(e, PVBOOT_E_HOST, "no memory for the manifest");
}

/*
 * The bytes written within [start, end), from start to the last of them, with zeroes between.  Not any number of zeroes:
 * two PT_LOADs can be as far apart as the guest has memory.
 */
static int gather(const struct pvboot_record *r, uint64_t start, uint64_t end, struct pvboot_bytes *out,
                  struct pvboot_error *e)
{
    uint64_t last = start, written = 0;
    uint8_t *buf;

    for (size_t i = 0; i < r->n; i++)
        if (r->w[i].gpa >= start && r->w[i].gpa < end) {
            written += r->w[i].bytes.len;
            if (r->w[i].gpa + r->w[i].bytes.len > last)
                last = r->w[i].gpa + r->w[i].bytes.len;
        }
    *out = (struct pvboot_bytes){ NULL, (size_t)(last - start) };
    if (!out->len)
        return 0;
    if (out->len > written && out->len - written > PVBOOT_DUMP_ZEROES_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT,
                        "dump: %" PRIu64 " bytes from 0x%" PRIx64 " on with %" PRIu64
                        " zeroes between them, limit %llu",
                        written, start, out->len - written, PVBOOT_DUMP_ZEROES_MAX);
    buf = calloc(1, out->len);
    if (!buf)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a segment of %zu bytes", out->len);
    for (size_t i = 0; i < r->n; i++)
        if (r->w[i].gpa >= start && r->w[i].gpa < end)
            memcpy(buf + (r->w[i].gpa - start), r->w[i].bytes.p, r->w[i].bytes.len);
    out->p = buf;
    return 0;
}

/* What a segment's file is called: like the segment, with '-' for ' '. */
static const char *file_name(enum pvboot_segment_id id, char file[32])
{
    snprintf(file, 32, "%s", pvboot_segment_name(id));
    for (char *c = file; *c; c++)
        if (*c == ' ')
            *c = '-';
    return file;
}

static int list_segment(json_t *segments, enum pvboot_segment_id id, const struct pvboot_segment *seg,
                        struct pvboot_bytes b, struct pvboot_error *e)
{
    char file[32], sha256[65];

    pvb_sha256_hex(b, sha256);
    if (json_array_append_new(segments, json_pack("{s:s, s:o, s:o, s:s, s:s, s:s}", "name", pvboot_segment_name(id),
                                                  "gpa", pvb_json_u64(seg->start), "bytes", pvb_json_u64(b.len), "file",
                                                  file_name(id, file), "sha256", sha256, "why", seg->why)))
        return no_memory(e);
    return 0;
}

/* One segment's file, and its entry in the manifest; one that has none loses that of an earlier dump. */
static int dump_segment(const struct dump *d, enum pvboot_segment_id id, const struct pvboot_segment *seg,
                        struct pvboot_error *e)
{
    struct pvboot_bytes b = { 0 };
    char file[32];
    int rc = seg->end ? gather(d->record, seg->start, seg->end, &b, e) : 0;

    if (!rc && !b.len)
        return pvb_outdir_drop(&d->dir, file_name(id, file), e);
    if (!rc)
        rc = pvb_outdir_put(&d->dir, file_name(id, file), b, e);
    if (!rc)
        rc = list_segment(d->segments, id, seg, b, e);
    free((void *)b.p);
    return rc;
}

/* Into a buffer of our own: jansson's json_dumps() loses what its growing buffer finds no memory for. */
static int dump_manifest(const struct dump *d, struct pvboot_error *e)
{
    size_t n = json_dumpb(d->manifest, NULL, 0, JSON_INDENT(2));
    char *text = n ? malloc(n) : NULL;
    int rc;

    if (text && json_dumpb(d->manifest, text, n, JSON_INDENT(2)) == n)
        rc = pvb_outdir_put(&d->dir, MANIFEST, (struct pvboot_bytes){ (const uint8_t *)text, n }, e);
    else
        rc = no_memory(e);
    free(text);
    return rc;
}

/* The manifest goes first and comes last: it never describes another dump's files. */
static int dump_files(struct dump *d, const struct pvboot_plan *plan, const char *dir, struct pvboot_error *e)
{
    int rc = pvb_outdir_open(&d->dir, dir, e);

    if (!rc)
        rc = pvb_outdir_drop(&d->dir, MANIFEST, e);
    for (enum pvboot_segment_id id = 0; !rc && id < PVBOOT_SEGMENTS; id++)
        rc = dump_segment(d, id, &plan->seg[id], e);
    return rc ? rc : dump_manifest(d, e);
}

int pvboot_record_dump(const struct pvboot_record *r, const struct pvboot_plan *plan, const struct pvboot_image *img,
                       const char *dir, struct pvboot_error *e)
{
    struct dump d = { r, { -1, dir }, pvb_describe_plan(plan), json_array() };
    int rc = 0;

    if (json_object_set(d.manifest, "segments", d.segments) ||
        json_object_set_new(d.manifest, "kernel_version", json_string(img->has_bzimage ? img->bz.kernel_version : "")))
        rc = no_memory(e);
    if (!rc)
        rc = dump_files(&d, plan, dir, e);
    pvb_outdir_close(&d.dir);
    json_decref(d.segments);
    json_decref(d.manifest);
    return rc;
}
