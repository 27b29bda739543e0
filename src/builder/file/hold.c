/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file that is held: one descriptor and one lease, from the first look at it to its last byte in a guest.  While the
 * lease is there nobody has the file open for writing, nor a writable mapping of it, and nobody cuts it: whoever wants
 * to waits.  The lease belongs to the open file and came with its descriptor; the signal
 * that tells of its end is for the process that took it, which is dead.
 */
#include "hold.h"
#include "file.h"
#include "memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK 65536u

static int changed(const char *path, const char *how, struct pvboot_error *e)
{
    return pvb_in_file(e, path, pvb_fail(e, PVBOOT_E_UNREADABLE, "changed while being read: %s", how));
}

static int get(const struct pvboot_source *s, uint64_t off, void *dst, size_t n, struct pvboot_error *e)
{
    uint8_t *p = dst;

    while (n) {
        ssize_t got = pread(s->fd, p, n, (off_t)off);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EFAULT)
            return pvb_in_file(e, s->path, pvb_fail(e, PVBOOT_E_HOST, "no memory where %zu bytes of it shall lie", n));
        if (got < 0)
            return pvb_in_file(e, s->path, pvb_fail_errno(e, PVBOOT_E_UNREADABLE, "read"));
        if (!got)
            return changed(s->path, "it ends early", e);
        p += got;
        off += (size_t)got;
        n -= (size_t)got;
    }
    return 0;
}

struct pvboot_source pvboot_file_source(const struct pvboot_file *f)
{
    return f->held ? (struct pvboot_source){ get, f->fd, f->path } : (struct pvboot_source){ 0 };
}

bool pvb_still_held(const struct pvboot_file *f)
{
    return !f->held || fcntl(f->fd, F_GETLEASE) == F_RDLCK;
}

/*
 * Whoever wants to write may be waiting by now, which is no harm: he waits as long as there is a lease to give back, and
 * that there was one, its return tells.
 */
int pvboot_file_settle(struct pvboot_file *f, struct pvboot_error *e)
{
    struct stat st;

    if (!f->held)
        return 0;
    if (fstat(f->fd, &st))
        return pvb_in_file(e, f->path, pvb_fail_errno(e, PVBOOT_E_UNREADABLE, "fstat"));
    if ((uint64_t)st.st_size != f->bytes.len)
        return changed(f->path, "its size is another", e);
    if (!fcntl(f->fd, F_SETLEASE, F_UNLCK))
        return 0;
    if (errno == EAGAIN) /* there is none */
        return changed(f->path, "somebody who wanted to write to it has waited too long", e);
    return pvb_in_file(e, f->path, pvb_fail_errno(e, PVBOOT_E_HOST, "giving a lease back"));
}

/*
 * By way of a buffer: a mapping to read to would spare a copy, but a child that another thread forks meanwhile would keep
 * it, and there is no seal as long as somebody has one.
 */
static int copy_range(int memfd, const struct pvboot_source *s, struct pvboot_span span, struct pvboot_error *e)
{
    uint8_t chunk[CHUNK];
    int rc = 0;

    if (lseek(memfd, (off_t)span.off, SEEK_SET) < 0)
        return pvb_fail_errno(e, PVBOOT_E_HOST, "no memory for a private copy");
    for (uint64_t done = 0, some; !rc && done < span.n; done += some) {
        some = span.n - done < CHUNK ? span.n - done : CHUNK;
        rc = get(s, span.off + done, chunk, (size_t)some, e);
        if (!rc)
            rc = pvb_memfd_put(memfd, (struct pvboot_bytes){ chunk, (size_t)some }, e);
    }
    return rc;
}

/* Those pieces of it, into what is as long as all of it: @memfd, which begins with what is known already. */
static int copy_spans(int memfd, const struct pvboot_source *s, size_t bytes, struct pvboot_bytes known,
                      const struct pvboot_span *span, size_t n, struct pvboot_error *e)
{
    int rc = pvb_memfd_room(bytes, e);

    if (!rc && ftruncate(memfd, (off_t)bytes))
        rc = pvb_fail_errno(e, PVBOOT_E_HOST, "no memory for a private copy");
    if (!rc)
        rc = pvb_memfd_put(memfd, known, e);
    for (size_t i = 0; !rc && i < n; i++) {
        uint64_t skip = i ? 0 : known.len;

        rc = copy_range(memfd, s, (struct pvboot_span){ span[i].off + skip, span[i].n - skip }, e);
    }
    return rc;
}

/* libxl keeps the address of what it has been given and does not look at it: nobody can. */
static int copy_nothing(struct pvboot_file *f, int memfd, size_t bytes, struct pvboot_error *e)
{
    void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return pvb_fail_errno(e, PVBOOT_E_HOST, "no address space for a file");
    close(memfd);
    *f = (struct pvboot_file){ .bytes = { p, bytes }, .owned = p, .mapped = bytes, .memfd = -1 };
    return 0;
}

static int copy_what_shows(struct pvboot_file *f, int memfd, const struct pvboot_source *s, size_t bytes,
                           enum pvboot_show show, struct pvboot_error *e)
{
    struct pvboot_span span[PVBOOT_FILE_SPANS];
    uint8_t head[PVB_SHOWN_BY];
    const struct pvboot_bytes begin = { head, bytes < sizeof(head) ? bytes : sizeof(head) };
    uint32_t n;
    int rc = get(s, 0, head, begin.len, e);

    if (rc)
        return rc;
    n = pvb_shown(span, show, begin, bytes);
    rc = copy_spans(memfd, s, bytes, pvboot_sub(begin, 0, span[0].n < begin.len ? span[0].n : begin.len), span, n, e);
    if (!rc)
        rc = pvb_memfd_seal(f, memfd, bytes, e);
    if (rc)
        return rc;
    memcpy(f->shown, span, n * sizeof(span[0]));
    f->n_shown = n;
    return 0;
}

int pvb_hold(struct pvboot_file *f, int memfd, const struct pvb_reading *r, enum pvboot_show show,
             struct pvboot_error *e)
{
    const struct pvboot_source from = { get, r->fd, r->path };
    const size_t bytes = (size_t)r->st.st_size;
    char *path = strdup(r->path);
    int rc = path ? 0 : pvb_fail(e, PVBOOT_E_HOST, "no memory for a path");

    if (!rc)
        rc = show ? copy_what_shows(f, memfd, &from, bytes, show, e) : copy_nothing(f, memfd, bytes, e);
    if (rc) {
        close(r->fd);
        free(path);
        *f = (struct pvboot_file){ 0 };
        return rc;
    }
    f->held = true;
    f->fd = r->fd;
    f->path = path;
    return 0;
}

/* A small file is shown whole. */
static bool is_copy(const struct pvboot_file *f)
{
    return f->n_shown && f->shown[0].n == f->bytes.len;
}

static void let_go(struct pvboot_file *f)
{
    close(f->fd);
    free(f->path);
    f->path = NULL;
    f->held = false;
}

int pvboot_file_copy(struct pvboot_file *f, struct pvboot_error *e)
{
    const struct pvboot_source from = pvboot_file_source(f);
    const struct pvboot_span all = { 0, f->bytes.len };
    struct pvboot_file whole;
    int memfd, rc;

    if (!f->held)
        return 0;
    if (is_copy(f)) {
        rc = pvboot_file_settle(f, e);
        if (!rc)
            let_go(f);
        return rc;
    }
    memfd = pvb_memfd("pvboot-file", e);
    if (memfd < 0)
        return pvb_in_file(e, f->path, memfd);
    rc = copy_spans(memfd, &from, all.n, (struct pvboot_bytes){ 0 }, &all, 1, e);
    if (!rc)
        rc = pvb_memfd_seal(&whole, memfd, all.n, e);
    if (rc) {
        close(memfd);
        return pvb_in_file(e, f->path, rc);
    }
    rc = pvboot_file_settle(f, e);
    if (rc) {
        pvboot_file_dispose(&whole);
        return rc;
    }
    whole.version = f->version;
    pvboot_file_dispose(f);
    *f = whole;
    return 0;
}
