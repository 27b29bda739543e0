/* SPDX-License-Identifier: LGPL-2.1-only */
/* The record as files: what would be in the guest at its first instruction. */
#include "../load/load.h"
#include "describe.h"
#include <pvboot/record.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int host_error(struct pvboot_error *e, const char *dir, const char *name, const char *what)
{
    int rc = pvb_fail(e, PVBOOT_E_HOST, "cannot %s: %s", what, strerror(errno));
    char path[512];

    snprintf(path, sizeof(path), "%s%s%s", dir, name[0] ? "/" : "", name);
    return pvb_in_file(e, path, rc);
}

static int no_memory(struct pvboot_error *e)
{
    return pvb_fail(e, PVBOOT_E_HOST, "no memory for the manifest");
}

/* The bytes written within [start, end), from start to the last of them, with zeroes between. */
static int gather(const struct pvboot_record *r, uint64_t start, uint64_t end, struct pvboot_bytes *out,
                  struct pvboot_error *e)
{
    uint64_t last = start;
    uint8_t *buf;

    for (size_t i = 0; i < r->n; i++)
        if (r->w[i].gpa >= start && r->w[i].gpa < end && r->w[i].gpa + r->w[i].bytes.len > last)
            last = r->w[i].gpa + r->w[i].bytes.len;
    *out = (struct pvboot_bytes){ NULL, (size_t)(last - start) };
    if (!out->len)
        return 0;
    buf = calloc(1, out->len);
    if (!buf)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for a segment of %zu bytes", out->len);
    for (size_t i = 0; i < r->n; i++)
        if (r->w[i].gpa >= start && r->w[i].gpa < end)
            memcpy(buf + (r->w[i].gpa - start), r->w[i].bytes.p, r->w[i].bytes.len);
    out->p = buf;
    return 0;
}

static int write_all(int fd, struct pvboot_bytes b)
{
    for (size_t done = 0; done < b.len;) {
        ssize_t r = write(fd, b.p + done, b.len - done);

        if (r < 0 && errno != EINTR)
            return -1;
        if (r > 0)
            done += (size_t)r;
    }
    return 0;
}

/* For their owner alone: a ramdisk may hold keys, setup_data the guest's random seed. */
static int write_file(int dirfd, const char *dir, const char *name, struct pvboot_bytes b, struct pvboot_error *e)
{
    int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r;

    if (fd < 0)
        return host_error(e, dir, name, "create");
    r = write_all(fd, b);
    if (r)
        host_error(e, dir, name, "write");
    if (close(fd) && !r) {
        host_error(e, dir, name, "write");
        r = -1;
    }
    return r ? -PVBOOT_E_HOST : 0;
}

/* One segment's file, and its entry in the manifest. */
static int dump_segment(const struct pvboot_record *r, const struct pvboot_segment *seg, const char *name, int dirfd,
                        const char *dir, json_t *segments, struct pvboot_error *e)
{
    struct pvboot_bytes b;
    char file[32], sha256[65];
    int rc = gather(r, seg->start, seg->end, &b, e);

    if (rc || !b.len)
        return rc;
    snprintf(file, sizeof(file), "%s", name);
    for (char *c = file; *c; c++)
        if (*c == ' ')
            *c = '-';
    rc = write_file(dirfd, dir, file, b, e);
    if (!rc) {
        pvb_sha256_hex(b, sha256);
        if (json_array_append_new(segments, json_pack("{s:s, s:o, s:o, s:s, s:s, s:s}", "name", name, "gpa",
                                                      pvb_json_u64(seg->start), "bytes", pvb_json_u64(b.len), "file",
                                                      file, "sha256", sha256, "why", seg->why)))
            rc = no_memory(e);
    }
    free((void *)b.p);
    return rc;
}

/* Into a buffer of our own: jansson's json_dumps() loses what its growing buffer finds no memory for. */
static int dump_manifest(json_t *manifest, int dirfd, const char *dir, struct pvboot_error *e)
{
    size_t n = json_dumpb(manifest, NULL, 0, JSON_INDENT(2));
    char *text = n ? malloc(n) : NULL;
    int rc;

    if (text && json_dumpb(manifest, text, n, JSON_INDENT(2)) == n)
        rc = write_file(dirfd, dir, "manifest.json", (struct pvboot_bytes){ (const uint8_t *)text, n }, e);
    else
        rc = no_memory(e);
    free(text);
    return rc;
}

int pvboot_record_dump(const struct pvboot_record *r, const struct pvboot_plan *plan, const struct pvboot_image *img,
                       const char *dir, struct pvboot_error *e)
{
    json_t *manifest = pvb_describe_plan(plan), *segments = json_array();
    int dirfd = -1, rc = 0;

    if (json_object_set(manifest, "segments", segments) ||
        json_object_set_new(manifest, "kernel_version", json_string(img->has_bzimage ? img->bz.kernel_version : "")))
        rc = no_memory(e);
    if (!rc && mkdir(dir, 0700) && errno != EEXIST)
        rc = host_error(e, dir, "", "create directory");
    if (!rc && (dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        rc = host_error(e, dir, "", "open directory");
    for (enum pvboot_segment_id id = 0; !rc && id < PVBOOT_SEGMENTS; id++)
        if (plan->seg[id].end)
            rc = dump_segment(r, &plan->seg[id], pvboot_segment_name(id), dirfd, dir, segments, e);
    if (!rc)
        rc = dump_manifest(manifest, dirfd, dir, e);
    if (dirfd >= 0)
        close(dirfd);
    json_decref(segments);
    json_decref(manifest);
    return rc;
}
