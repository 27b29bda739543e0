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
            return pvb_fail(e, PVBOOT_E_HOST, "no memory where %zu bytes of %s shall lie", n, s->path);
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
 * Those pieces of it, where the mapping of what is as long as all of it says, so that each byte is copied once: that there
 * is no memory is an error of read() then, and no signal.
 */
static int copy_pieces(uint8_t *p, const struct pvboot_source *s, const struct pvboot_span *span, size_t n,
                       struct pvboot_error *e)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < n; i++)
        rc = get(s, span[i].off, p + span[i].off, (size_t)span[i].n, e);
    return rc;
}

static int copy_spans(struct pvboot_file *f, int memfd, const struct pvboot_source *s, size_t bytes,
                      const struct pvboot_span *span, size_t n, struct pvboot_error *e)
{
    int rc = pvb_memfd_room(bytes, e);
    uint8_t *p;

    if (rc)
        return rc;
    if (ftruncate(memfd, (off_t)bytes))
        return pvb_fail_errno(e, PVBOOT_E_HOST, "no memory for a private copy");
    p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
    if (p == MAP_FAILED)
        return pvb_fail_errno(e, PVBOOT_E_HOST, "no address space for a private copy");
    rc = copy_pieces(p, s, span, n, e);
    munmap(p, bytes); /* a seal finds no writer */
    return rc ? rc : pvb_memfd_seal(f, memfd, bytes, e);
}

/* All of it: what goes by way of a mapping costs a fault a page. */
static int copy_all(struct pvboot_file *f, int memfd, const struct pvboot_source *s, size_t bytes,
                    struct pvboot_error *e)
{
    uint8_t chunk[CHUNK];
    int rc = pvb_memfd_room(bytes, e);

    for (size_t done = 0, some; !rc && done < bytes; done += some) {
        some = bytes - done < CHUNK ? bytes - done : CHUNK;
        rc = get(s, done, chunk, some, e);
        if (!rc)
            rc = pvb_memfd_put(memfd, (struct pvboot_bytes){ chunk, some }, e);
    }
    return rc ? rc : pvb_memfd_seal(f, memfd, bytes, e);
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
    rc = copy_spans(f, memfd, s, bytes, span, n, e);
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
    rc = copy_all(&whole, memfd, &from, f->bytes.len, e);
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
