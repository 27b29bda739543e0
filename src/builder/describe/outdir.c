/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Nothing that lay in the directory before is written to: neither a file that others may read, nor a link to another
 * one, nor a FIFO that nobody reads.  Each file is new and takes its name by rename().
 */
#include "outdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define HIDDEN_MAX (NAME_MAX + 1)

static int host_error(const struct pvb_outdir *d, const char *name, const char *what, struct pvboot_error *e)
{
    int rc = pvb_fail_errno(e, PVBOOT_E_HOST, what);
    char path[PATH_MAX + NAME_MAX + 2];

    snprintf(path, sizeof(path), "%s%s%s", d->path, name[0] ? "/" : "", name);
    return pvb_in_file(e, path, rc);
}

static int judge(const struct pvb_outdir *d, struct pvboot_error *e)
{
    struct stat st;

    if (fstat(d->fd, &st))
        return host_error(d, "", "cannot look at the directory", e);
    if (st.st_uid != geteuid())
        return pvb_in_file(
            e, d->path, pvb_fail(e, PVBOOT_E_HOST, "the directory is user %u's, not user %u's", st.st_uid, geteuid()));
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return pvb_in_file(
            e, d->path,
            pvb_fail(e, PVBOOT_E_HOST, "others may write to the directory: mode %04o", st.st_mode & 07777u));
    return 0;
}

int pvb_outdir_open(struct pvb_outdir *d, const char *path, struct pvboot_error *e)
{
    char bare[PATH_MAX];
    int rc;

    *d = (struct pvb_outdir){ -1, path };
    if (pvb_bare_path(bare, sizeof(bare), path) || (mkdir(bare, S_IRWXU) && errno != EEXIST))
        return host_error(d, "", "cannot create directory", e);
    d->fd = open(bare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return pvb_in_file(e, path, pvb_fail(e, PVBOOT_E_HOST, "not a directory, or a symbolic link"));
    if (d->fd < 0)
        return host_error(d, "", "cannot open directory", e);
    rc = judge(d, e);
    if (rc)
        pvb_outdir_close(d);
    return rc;
}

void pvb_outdir_close(struct pvb_outdir *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static const char *hidden(char buf[HIDDEN_MAX], const char *name)
{
    snprintf(buf, HIDDEN_MAX, ".%s.part", name);
    return buf;
}

static int drop_one(const struct pvb_outdir *d, const char *name, struct pvboot_error *e)
{
    return unlinkat(d->fd, name, 0) && errno != ENOENT ? host_error(d, name, "cannot remove", e) : 0;
}

int pvb_outdir_drop(const struct pvb_outdir *d, const char *name, struct pvboot_error *e)
{
    char part[HIDDEN_MAX];
    int rc = drop_one(d, name, e);

    return rc ? rc : drop_one(d, hidden(part, name), e);
}

int pvb_outdir_begin(const struct pvb_outdir *d, const char *name, struct pvboot_error *e)
{
    char part[HIDDEN_MAX];
    int fd, rc = drop_one(d, hidden(part, name), e);

    if (rc)
        return rc;
    fd = openat(d->fd, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return fd < 0 ? host_error(d, name, "cannot create", e) : fd;
}

int pvb_outdir_write(const struct pvb_outdir *d, const char *name, int fd, struct pvboot_bytes b,
                     struct pvboot_error *e)
{
    for (size_t done = 0; done < b.len;) {
        ssize_t r = write(fd, b.p + done, b.len - done);

        if (r < 0 && errno != EINTR)
            return host_error(d, name, "cannot write", e);
        if (r > 0)
            done += (size_t)r;
    }
    return 0;
}

int pvb_outdir_end(const struct pvb_outdir *d, const char *name, int fd, int rc, struct pvboot_error *e)
{
    char part[HIDDEN_MAX];

    hidden(part, name);
    if (close(fd) && !rc)
        rc = host_error(d, name, "cannot write", e);
    if (!rc && renameat(d->fd, part, d->fd, name))
        rc = host_error(d, name, "cannot replace", e);
    if (rc)
        unlinkat(d->fd, part, 0);
    return rc;
}

int pvb_outdir_put(const struct pvb_outdir *d, const char *name, struct pvboot_bytes b, struct pvboot_error *e)
{
    int fd = pvb_outdir_begin(d, name, e);

    return fd < 0 ? fd : pvb_outdir_end(d, name, fd, pvb_outdir_write(d, name, fd, b, e), e);
}
