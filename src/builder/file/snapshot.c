/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file as it is at one moment.  Time stamps alone do not tell: the kernel sets them when a write begins, not when
 * it ends.  A read lease does, since writers, open or to come, exclude it; see fcntl(2), "Leases".
 */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define QUIET_NS 200000000ll /* without a lease: nothing may have changed for so long */
#define PATIENCE 100         /* looks at a file that is being written */
#define LOOK_NS 10000000     /* from one to the next */

/* errno as an error: the file's fault, or the host's. */
static int refused(struct pvboot_error *e, const char *what)
{
    bool host = errno == ENOMEM || errno == EMFILE || errno == ENFILE || errno == ENOBUFS;

    return pvb_fail_errno(e, host ? PVBOOT_E_HOST : PVBOOT_E_UNREADABLE, what);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
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

/* Who breaks the lease makes the kernel signal us: by one whose default is to be ignored. */
static bool take_lease(int fd)
{
    return !fcntl(fd, F_SETSIG, SIGURG) && !fcntl(fd, F_SETLEASE, F_RDLCK);
}

/* Nanoseconds since @st changed; a clock that disagrees with the file system's cannot tell: then long enough. */
static long long quiet_for(const struct stat *st)
{
    struct timespec now;
    long long ns;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec - st->st_ctim.tv_sec > 1 || now.tv_sec < st->st_ctim.tv_sec)
        return QUIET_NS;
    ns = (now.tv_sec - st->st_ctim.tv_sec) * 1000000000ll + now.tv_nsec - st->st_ctim.tv_nsec;
    return ns < 0 ? QUIET_NS : ns;
}

/* Stat a file that stands still, by lease or by the look of it. */
static int stat_still(struct pvb_snapshot *s, struct pvboot_error *e)
{
    for (int i = 0; i < PATIENCE; i++) {
        s->leased = take_lease(s->fd);
        if (fstat(s->fd, &s->st))
            return refused(e, "fstat");
        if (s->leased || !S_ISREG(s->st.st_mode) || quiet_for(&s->st) >= QUIET_NS)
            return 0;
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
    }
    return pvb_fail(e, PVBOOT_E_UNREADABLE, "is being written: changed %lld ms ago", quiet_for(&s->st) / 1000000);
}

bool pvb_snapshot_lease(struct pvb_snapshot *s, uint64_t max)
{
    s->leased = take_lease(s->fd);
    return s->leased && !fstat(s->fd, &s->st) && !check_size(&s->st, max, NULL);
}

int pvb_snapshot_open(struct pvb_snapshot *s, const char *path, uint64_t max, struct pvboot_error *e)
{
    int rc;

    *s = (struct pvb_snapshot){ 0 };
    /* O_NONBLOCK: a FIFO must not hang us; O_NOCTTY: a terminal must not become ours. Neither matters to a file. */
    s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (s->fd < 0)
        return refused(e, "open");
    rc = stat_still(s, e);
    if (!rc)
        rc = check_size(&s->st, max, e);
    if (rc)
        pvb_snapshot_close(s);
    return rc;
}

int pvb_snapshot_read(const struct pvb_snapshot *s, void *p, size_t n, size_t *got, struct pvboot_error *e)
{
    for (*got = 0; *got < n;) {
        ssize_t r = read(s->fd, (uint8_t *)p + *got, n - *got);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return refused(e, "read");
        if (!r)
            return 0;
        *got += (size_t)r;
    }
    return 0;
}

int pvb_snapshot_check(const struct pvb_snapshot *s, uint64_t got, struct pvboot_error *e)
{
    const struct stat *before = &s->st;
    struct stat now;

    if (fstat(s->fd, &now))
        return refused(e, "fstat");
    if (now.st_size != before->st_size)
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "changed while being read: %llu bytes, then %llu",
                        (unsigned long long)before->st_size, (unsigned long long)now.st_size);
    /* An unbroken lease outdoes the stamps, which renaming or deleting the file moves as well. */
    if ((!s->leased || fcntl(s->fd, F_GETLEASE) != F_RDLCK) &&
        (!same_time(&now.st_mtim, &before->st_mtim) || !same_time(&now.st_ctim, &before->st_ctim)))
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "changed while being read: its time stamps moved");
    if (got != (uint64_t)before->st_size)
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "changed while being read: ends after %llu of %llu bytes",
                        (unsigned long long)got, (unsigned long long)before->st_size);
    return 0;
}

void pvb_snapshot_close(struct pvb_snapshot *s)
{
    close(s->fd); /* ends the lease */
    s->fd = -1;
}
