/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whole files into private memory. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pvboot/file.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_PAGE (2ul << 20)

void *pvb_alloc(size_t bytes)
{
    void *p;

    if (bytes < HUGE_PAGE)
        return malloc(bytes ? bytes : 1);
    if (bytes > SIZE_MAX - HUGE_PAGE)
        return NULL;
    bytes = (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    p = aligned_alloc(HUGE_PAGE, bytes);
    if (p)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* only faster: 4 KiB pages do as well */
    return p;
}

/* Is it the file's fault or the host's? */
static int fail_errno(struct pvboot_error *e, const char *what)
{
    bool host = errno == ENOMEM || errno == EMFILE || errno == ENFILE || errno == ENOBUFS;

    return pvb_fail(e, host ? PVBOOT_E_HOST : PVBOOT_E_UNREADABLE, "%s: %s", what, strerror(errno));
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Up to @n bytes; *@got tells how many there were. */
static int read_all(int fd, uint8_t *p, size_t n, size_t *got, struct pvboot_error *e)
{
    for (*got = 0; *got < n;) {
        ssize_t r = read(fd, p + *got, n - *got);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return fail_errno(e, "read");
        if (!r)
            return 0;
        *got += (size_t)r;
    }
    return 0;
}

static int check_size(const struct stat *st, uint64_t max, struct pvboot_error *e)
{
    if (!S_ISREG(st->st_mode))
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "not a regular file (mode 0%o)", (unsigned)st->st_mode);
    if (st->st_size <= 0)
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "empty");
    if ((uint64_t)st->st_size > max)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%llu bytes, limit %llu", (unsigned long long)st->st_size,
                        (unsigned long long)max);
    return 0;
}

static int check_unchanged(int fd, const struct stat *before, size_t got, struct pvboot_error *e)
{
    struct stat now;

    if (fstat(fd, &now))
        return fail_errno(e, "fstat");
    if (now.st_size != before->st_size)
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "changed while being read: %llu bytes, then %llu",
                        (unsigned long long)before->st_size, (unsigned long long)now.st_size);
    if (!same_time(&now.st_mtim, &before->st_mtim) || !same_time(&now.st_ctim, &before->st_ctim))
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "changed while being read: its time stamps moved");
    if (got != (uint64_t)before->st_size)
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "changed while being read: ends after %zu of %llu bytes", got,
                        (unsigned long long)before->st_size);
    return 0;
}

static int read_fd(struct pvboot_file *f, int fd, uint64_t max, struct pvboot_error *e)
{
    struct stat st;
    size_t got;
    int rc;

    if (fstat(fd, &st))
        return fail_errno(e, "fstat");
    rc = check_size(&st, max, e);
    if (rc)
        return rc;
    f->owned = pvb_alloc((size_t)st.st_size);
    if (!f->owned)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for %llu bytes", (unsigned long long)st.st_size);
    f->bytes = (struct pvboot_bytes){ f->owned, (size_t)st.st_size };
    rc = read_all(fd, f->owned, f->bytes.len, &got, e);
    return rc ? rc : check_unchanged(fd, &st, got, e);
}

int pvboot_file_read(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e)
{
    int fd, rc;

    *f = (struct pvboot_file){ 0 };
    /* O_NONBLOCK: a FIFO must not hang us; O_NOCTTY: a terminal must not become ours. Neither matters to a file. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return pvb_in_file(e, path, fail_errno(e, "open"));
    rc = read_fd(f, fd, max, e);
    if (rc)
        pvboot_file_dispose(f);
    close(fd);
    return pvb_in_file(e, path, rc);
}

void pvboot_file_dispose(struct pvboot_file *f)
{
    free(f->owned);
    *f = (struct pvboot_file){ 0 };
}
