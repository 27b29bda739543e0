/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Nothing in the directory is trusted for its name: each file is judged by its descriptor, and what is read from it once
 * more by who reads.  A new one is written beside its place and takes it by rename(), so nobody sees half of one; what a
 * crash leaves has a hidden name, and the next who writes removes it.
 */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "../builder/file/file.h"

#define LOCK "lock"
#define NEW ".new"
#define ENTRY_MODE 0400u
#define STANDARD_FDS 3

int pvb_store_about(const struct pvb_store *s, const char *name, int rc, struct pvboot_error *e)
{
    char path[PATH_MAX + NAME_MAX + 2];

    if (rc >= 0)
        return rc;
    snprintf(path, sizeof(path), "%s%s%s", s->path, name[0] ? "/" : "", name);
    return pvb_in_file(e, path, rc);
}

static int host_error(const struct pvb_store *s, const char *name, const char *what, struct pvboot_error *e)
{
    return pvb_store_about(s, name, pvb_fail_errno(e, PVBOOT_E_HOST, what), e);
}

/* Clear of the standard descriptors, which a caller may be without. */
static int lift(int low)
{
    int fd, err;

    if (low < 0 || low >= STANDARD_FDS)
        return low;
    fd = fcntl(low, F_DUPFD_CLOEXEC, STANDARD_FDS);
    err = errno;
    close(low);
    errno = err;
    return fd;
}

static int judge_directory(const struct pvb_store *s, struct pvboot_error *e)
{
    struct stat st;

    if (fstat(s->dir, &st))
        return host_error(s, "", "cannot look at the directory", e);
    if (st.st_uid != geteuid())
        return pvb_store_about(
            s, "", pvb_fail(e, PVBOOT_E_HOST, "the directory is user %u's, not user %u's", st.st_uid, geteuid()), e);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return pvb_store_about(
            s, "", pvb_fail(e, PVBOOT_E_HOST, "others may use the directory: mode %04o", st.st_mode & 07777u), e);
    if (!pvb_file_is_local(s->dir))
        return pvb_store_about(
            s, "", pvb_fail(e, PVBOOT_E_HOST, "the directory is on no file system of this machine's own"), e);
    return 0;
}

int pvb_store_open(struct pvb_store *s, const char *path, bool make, struct pvboot_error *e)
{
    char bare[PATH_MAX];
    int rc;

    *s = (struct pvb_store){ -1, path };
    if (pvb_bare_path(bare, sizeof(bare), path) || (make && mkdir(bare, S_IRWXU) && errno != EEXIST))
        return host_error(s, "", "cannot make the directory", e);
    s->dir = lift(open(bare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (s->dir < 0 && errno == ENOENT)
        return PVB_STORE_ABSENT;
    if (s->dir < 0 && (errno == ENOTDIR || errno == ELOOP))
        return pvb_store_about(s, "", pvb_fail(e, PVBOOT_E_HOST, "not a directory, or a symbolic link"), e);
    if (s->dir < 0)
        return host_error(s, "", "cannot open the directory", e);
    rc = judge_directory(s, e);
    if (rc)
        pvb_store_close(s);
    return rc;
}

void pvb_store_close(struct pvb_store *s)
{
    if (s->dir >= 0)
        close(s->dir);
    s->dir = -1;
}

static int judge_file(const struct stat *st, struct pvboot_error *e)
{
    if (!S_ISREG(st->st_mode))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "not a regular file (mode 0%o)", st->st_mode);
    if (st->st_uid != geteuid())
        return pvb_fail(e, PVBOOT_E_MALFORMED, "user %u's, not user %u's", st->st_uid, geteuid());
    if ((st->st_mode & 07777u) != ENTRY_MODE)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "mode %04o, not %04o", st->st_mode & 07777u, ENTRY_MODE);
    if (st->st_nlink != 1)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "it has %llu names, not 1", (unsigned long long)st->st_nlink);
    return 0;
}

int pvb_store_file(const struct pvb_store *s, const char *name, struct stat *st, struct pvboot_error *e)
{
    /* O_NONBLOCK: a FIFO must not hang us */
    int fd = lift(openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)), rc;

    if (fd < 0 && errno == ENOENT)
        return PVB_STORE_ABSENT;
    if (fd < 0 && errno == ELOOP)
        return pvb_store_about(s, name, pvb_fail(e, PVBOOT_E_MALFORMED, "a symbolic link"), e);
    if (fd < 0)
        return host_error(s, name, "cannot open", e);
    rc = fstat(fd, st) ? pvb_fail_errno(e, PVBOOT_E_HOST, "fstat") : judge_file(st, e);
    if (!rc)
        return fd;
    close(fd);
    return pvb_store_about(s, name, rc, e);
}

int pvb_store_read(int fd, void *dst, size_t n, struct pvboot_error *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t r = pread(fd, (uint8_t *)dst + done, n - done, (off_t)done);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return pvb_fail_errno(e, PVBOOT_E_HOST, "read");
        if (!r)
            return pvb_fail(e, PVBOOT_E_MALFORMED, "ends after %zu of %zu bytes", done, n);
        done += (size_t)r;
    }
    return 0;
}

int pvb_store_lock(const struct pvb_store *s, struct pvboot_error *e)
{
    int fd = lift(openat(s->dir, LOCK, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, ENTRY_MODE));

    if (fd < 0)
        return host_error(s, LOCK, "cannot open", e);
    while (flock(fd, LOCK_EX))
        if (errno != EINTR) {
            host_error(s, LOCK, "cannot lock", e);
            close(fd);
            return -PVBOOT_E_HOST;
        }
    return fd;
}

int pvb_store_new(const struct pvb_store *s, struct pvboot_error *e)
{
    int fd;

    if (unlinkat(s->dir, NEW, 0) && errno != ENOENT) /* of somebody who was stopped in the middle */
        return host_error(s, NEW, "cannot remove", e);
    fd = lift(openat(s->dir, NEW, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, ENTRY_MODE));
    return fd < 0 ? host_error(s, NEW, "cannot create", e) : fd;
}

int pvb_store_write(int fd, uint64_t off, const void *src, size_t n, struct pvboot_error *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t r = pwrite(fd, (const uint8_t *)src + done, n - done, (off_t)(off + done));

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return pvb_fail_errno(e, PVBOOT_E_HOST, "cannot write an entry");
        done += (size_t)r;
    }
    return 0;
}

void pvb_store_drop_new(const struct pvb_store *s, int fd)
{
    int err = errno;

    close(fd);
    (void)unlinkat(s->dir, NEW, 0);
    errno = err;
}

/* What is not on the disk when a name for it is would be, after a loss of power, a kernel with holes. */
int pvb_store_name(const struct pvb_store *s, int fd, const char *name, struct pvboot_error *e)
{
    if (fsync(fd) || renameat(s->dir, NEW, s->dir, name) || fsync(s->dir)) {
        pvb_store_drop_new(s, fd);
        return host_error(s, name, "cannot put an entry into its place", e);
    }
    close(fd);
    return 0;
}

/* As a key or an entry may be called: a directory that somebody names by mistake has others' keys and ELF files. */
static bool is_ours(const char *name, const char *suffix)
{
    size_t n = strspn(name, "0123456789abcdef-");

    return n && !strcmp(name + n, suffix);
}

int pvb_store_walk(const struct pvb_store *s, const char *suffix, pvb_store_each *each, void *closure,
                   struct pvboot_error *e)
{
    int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        rc = host_error(s, "", "cannot list the directory", e);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    while (!rc && (entry = readdir(dir)) != NULL)
        if (is_ours(entry->d_name, suffix))
            rc = each(s, entry->d_name, closure, e);
    closedir(dir);
    return rc;
}
