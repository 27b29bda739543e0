/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The child is our image after _Fork(): it calls nothing that takes a lock or memory, since another thread may have held
 * either, and the program's handlers for fork() stay out of it.
 */
#include "reader.h"
#include "file.h"
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pvboot/limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CHUNK 65536u
#define DIGITS_MAX 9 /* of a descriptor, which is an int */

/* What the child answers: the file as it was, or its error. */
struct told {
    int fd; /* of what is given, in the child; -1: nothing */
    struct stat st;
    struct pvboot_error e;
};

/* Overlayfs is not among them, since what lies under it may be anything. */
bool pvb_file_is_local(int fd)
{
    static const uint32_t local[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,      BTRFS_SUPER_MAGIC,
                                      F2FS_SUPER_MAGIC, TMPFS_MAGIC,          RAMFS_MAGIC,
                                      SQUASHFS_MAGIC,   EROFS_SUPER_MAGIC_V1, ISOFS_SUPER_MAGIC };
    struct statfs fs;

    if (fstatfs(fd, &fs))
        return false;
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        if ((uint32_t)fs.f_type == local[i])
            return true;
    return false;
}

static int copy(int memfd, const struct pvb_snapshot *s, struct pvboot_error *e)
{
    uint64_t left = (uint64_t)s->st.st_size;
    uint8_t chunk[CHUNK];
    size_t got = CHUNK;
    int rc = pvb_memfd_room(left, e);

    while (!rc && left && got == CHUNK) {
        rc = pvb_snapshot_read(s, chunk, left < CHUNK ? (size_t)left : CHUNK, &got, e);
        if (!rc)
            rc = pvb_memfd_put(memfd, (struct pvboot_bytes){ chunk, got }, e);
        left -= got;
    }
    return rc ? rc : pvb_snapshot_check(s, (uint64_t)s->st.st_size - left, e);
}

static int read_all(const struct pvb_reading *job, struct told *t)
{
    struct pvb_snapshot s;
    int rc = pvb_snapshot_open(&s, job->path, job->max, &t->e);

    if (rc)
        return rc;
    t->st = s.st;
    if (job->hold && s.leased && pvb_file_is_local(s.fd)) {
        t->fd = s.fd; /* and our end takes the lease along */
        return 0;
    }
    if (job->memfd >= 0)
        rc = copy(job->memfd, &s, &t->e);
    pvb_snapshot_close(&s); /* which can stall as well: before we say that it is done */
    return rc;
}

/*
 * The caller's own descriptor that @path is another name of, -1: of none.  By the whole name: what else begins like it, as
 * /proc/self/cwd/kernel or /dev/shm/kernel, can lead to any mount.
 */
static int named_descriptor(const char *path)
{
    static const char *const stem[] = { "/dev/fd/", "/proc/self/fd/" };
    static const char *const standard[] = { "/dev/stdin", "/dev/stdout", "/dev/stderr" };

    for (int fd = 0; fd < 3; fd++)
        if (!strcmp(path, standard[fd]))
            return fd;
    for (size_t i = 0; i < sizeof(stem) / sizeof(stem[0]); i++) {
        size_t skip = strlen(stem[i]), n;

        if (strncmp(path, stem[i], skip))
            continue;
        n = strspn(path + skip, "0123456789");
        return n && n <= DIGITS_MAX && !path[skip + n] ? atoi(path + skip) : -1;
    }
    return -1;
}

static void close_all_but(const int *keep, size_t n)
{
    unsigned int low = 0, next;

    do {
        next = ~0u;
        for (size_t i = 0; i < n; i++)
            if (keep[i] >= 0 && (unsigned int)keep[i] >= low && (unsigned int)keep[i] < next)
                next = (unsigned int)keep[i];
        if (next > low)
            close_range(low, next - 1, 0);
        low = next + 1;
    } while (low);
}

/* In one message, with the descriptor of what is given. */
static bool answer_with(int answer, const struct told *t)
{
    struct iovec said = { (void *)t, sizeof(*t) };
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } with = { 0 };
    struct msghdr m = { .msg_iov = &said, .msg_iovlen = 1 };
    ssize_t r;

    if (t->fd >= 0) {
        m.msg_control = &with;
        m.msg_controllen = sizeof(with);
        with.head = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(&with.head), &t->fd, sizeof(int));
    }
    do
        r = sendmsg(answer, &m, 0);
    while (r < 0 && errno == EINTR);
    return r == sizeof(*t);
}

struct read_job {
    struct pvb_child_job job; /* first member */
    const struct pvb_reading *what;
};

/*
 * If it is held up, it keeps no descriptor of its caller's open, no event channel above all, but the one it was asked to
 * read.
 */
static bool child(const struct pvb_child_job *job, int answer)
{
    const struct pvb_reading *what = ((const struct read_job *)job)->what;
    const int keep[] = { answer, what->memfd, named_descriptor(what->path) };
    struct told t = { .fd = -1 };

    close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
    (void)read_all(what, &t); /* @t says it all */
    return answer_with(answer, &t);
}

static int start(struct pvb_child *c, const struct pvb_reading *what, struct pvboot_error *e)
{
    const struct read_job job = { { .name = "pvboot-read", .run = child }, what };
    int err = pvb_child_fork(c, &job.job);

    return err ? pvb_fail(e, PVBOOT_E_HOST, "no process to read it: %s", strerror(err)) : 0;
}

static uint64_t size_of(int memfd)
{
    struct stat st = { 0 };

    return memfd < 0 || fstat(memfd, &st) ? 0 : (uint64_t)st.st_size;
}

/* As long as enough arrives. */
static int listen_to(const struct pvb_child *c, struct pvb_reading *job, struct told *t, struct pvboot_error *e)
{
    struct iovec into = { t, sizeof(*t) };
    uint64_t had, has = 0; /* bytes of the file that have arrived: when we began to wait this time, and since */
    size_t got;
    int err;

    do {
        had = has;
        err = pvb_child_hear(c, pvb_deadline(PVBOOT_STALL_MS), &into, &got, &job->fd);
        has = err == ETIME ? size_of(job->memfd) : had;
    } while (has - had >= PVBOOT_STALL_BYTES);
    if (err == ETIME)
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "stalls: %llu bytes in %u ms, limit %llu",
                        (unsigned long long)(has - had), PVBOOT_STALL_MS, PVBOOT_STALL_BYTES);
    if (err)
        return pvb_fail(e, PVBOOT_E_HOST, "listening to who reads it: %s", strerror(err));
    if (got != sizeof(*t))
        return pvb_fail(e, PVBOOT_E_HOST, "who read it died, maybe for want of memory");
    return 0;
}

/* Clear of the standard descriptors, which a caller may be without. */
static int lift(int *fd, struct pvboot_error *e)
{
    int low = *fd;

    if (low < 0)
        return pvb_fail(e, PVBOOT_E_HOST, "no descriptor left for the file");
    if (low > STDERR_FILENO)
        return 0;
    *fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(low);
    return *fd < 0 ? pvb_fail(e, PVBOOT_E_HOST, "dup: %s", strerror(errno)) : 0;
}

int pvb_read_elsewhere(struct pvb_reading *r, struct pvboot_error *e)
{
    struct pvb_child c;
    struct told t;
    int rc;

    r->fd = -1;
    rc = start(&c, r, e);
    if (rc)
        return rc;
    rc = listen_to(&c, r, &t, e);
    pvb_child_end(&c, rc != 0);
    if (!rc) {
        r->st = t.st;
        if (t.e.code)
            rc = pvb_fail_escaped(e, (enum pvboot_class)t.e.code, "%s", t.e.text);
        else if (t.fd >= 0)
            rc = lift(&r->fd, e);
    }
    if (rc && r->fd >= 0) {
        close(r->fd);
        r->fd = -1;
    }
    return rc;
}
