/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whole files into private memory. */
#include "file.h"
#include "hold.h"
#include "memfd.h"
#include "near.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static struct pvboot_file_version version(const struct stat *st)
{
    return (struct pvboot_file_version){ st->st_dev, st->st_ino, (uint64_t)st->st_size, st->st_ctim.tv_sec,
                                         st->st_ctim.tv_nsec };
}

static int open_memfd(struct pvboot_file *f, struct pvboot_error *e)
{
    *f = (struct pvboot_file){ 0 };
    return pvb_memfd("pvboot-file", e);
}

static int take(struct pvboot_file *f, int memfd, const struct pvb_reading *r, enum pvboot_show show,
                struct pvboot_error *e)
{
    int rc;

    if (r->fd < 0)
        rc = pvb_memfd_seal(f, memfd, (size_t)r->st.st_size, e);
    else
        rc = pvb_hold(f, memfd, r, show, e);
    if (!rc)
        f->version = version(&r->st);
    return rc;
}

/* By this process where nothing can hold it up. */
static int open_file(struct pvb_reading *r, struct pvboot_error *e)
{
    return pvb_read_near(r) ? 0 : pvb_read_elsewhere(r, e);
}

static int read_file(struct pvboot_file *f, struct pvb_reading r, enum pvboot_show show, struct pvboot_error *e)
{
    int rc;

    r.memfd = open_memfd(f, e);
    if (r.memfd < 0)
        return pvb_in_file(e, r.path, r.memfd);
    rc = open_file(&r, e);
    if (!rc)
        rc = take(f, r.memfd, &r, show, e);
    if (rc) {
        (void)!ftruncate(r.memfd, 0); /* who still reads keeps it open, but not its memory */
        close(r.memfd);
    }
    return pvb_in_file(e, r.path, rc);
}

int pvboot_file_read(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e)
{
    return read_file(f, (struct pvb_reading){ .path = path, .max = max }, PVBOOT_SHOW_NOTHING, e);
}

int pvboot_file_hold(struct pvboot_file *f, const char *path, uint64_t max, enum pvboot_show show,
                     struct pvboot_error *e)
{
    return read_file(f, (struct pvb_reading){ .path = path, .max = max, .hold = true }, show, e);
}

int pvb_file_look(uint64_t *bytes, const char *path, uint64_t max, struct pvboot_error *e)
{
    struct pvb_reading r = { .path = path, .max = max, .memfd = -1 };
    int rc = open_file(&r, e);

    *bytes = rc ? 0 : (uint64_t)r.st.st_size;
    return pvb_in_file(e, path, rc);
}

/* Which file @path names, told from what the kernel knows, without asking a file system that might not answer. */
static bool look_without_waiting(const char *path, struct statx *now)
{
    int fd = pvb_near_path(path);
    bool known = fd >= 0 && !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, now);

    if (fd >= 0)
        close(fd);
    return known && now->stx_mask & STATX_INO;
}

static bool is_file(const struct statx *now, const struct pvboot_file_version *v)
{
    return makedev(now->stx_dev_major, now->stx_dev_minor) == v->device && now->stx_ino == v->inode;
}

bool pvboot_file_unchanged(const struct pvboot_file *f, const char *path)
{
    struct pvb_reading r = { .path = path, .max = f->bytes.len, .memfd = -1 };
    struct pvboot_file_version now;
    struct statx cached;

    if (!pvb_still_held(f))
        return false;
    if (f->held && look_without_waiting(path, &cached)) /* the lease sees to its contents */
        return is_file(&cached, &f->version);
    if (open_file(&r, NULL))
        return false;
    now = version(&r.st);
    return !memcmp(&now, &f->version, sizeof(now));
}

int pvboot_file_seal(struct pvboot_file *f, struct pvboot_bytes bytes, struct pvboot_error *e)
{
    int fd = open_memfd(f, e), rc;

    if (fd < 0)
        return fd;
    rc = pvb_memfd_room(bytes.len, e);
    if (!rc)
        rc = pvb_memfd_put(fd, bytes, e);
    if (!rc)
        rc = pvb_memfd_seal(f, fd, bytes.len, e);
    if (rc)
        close(fd);
    return rc;
}
