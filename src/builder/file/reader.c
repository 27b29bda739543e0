/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The child is our image after _Fork(): it calls nothing that takes a lock or memory, since another thread may have held
 * either, and the program's handlers for fork() stay out of it.
 */
#include "reader.h"
#include "child.h"
#include "memfd.h"
#include "snapshot.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <pvboot/limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define CHUNK 65536u
#define DIGITS_MAX 9 /* of a descriptor, which is an int */

struct job {
    int memfd;
    const char *path;
    uint64_t max;
};

/* What the child answers: the file as it was, or its error. */
struct told {
    struct stat st;
    struct pvboot_error e;
};

static_assert(sizeof(struct told) <= PIPE_BUF, "or it is not written in one piece");

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

static int read_all(const struct job *job, struct told *t)
{
    struct pvb_snapshot s;
    int rc = pvb_snapshot_open(&s, job->path, job->max, &t->e);

    if (rc)
        return rc;
    t->st = s.st;
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

/*
 * All signals are blocked here, as the caller's handlers are still in place.  If it is held up, it keeps no descriptor of
 * its caller's open, no event channel above all, but the one it was asked to read.
 */
static _Noreturn void child(const struct job *job, int answer, pid_t caller)
{
    const int keep[] = { answer, job->memfd, named_descriptor(job->path) };
    struct told t = { 0 };
    pid_t parent;
    ssize_t r;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    parent = getppid();
    if (parent && parent != caller) /* 0: in another namespace */
        _exit(1);
    prctl(PR_SET_NAME, "pvboot-read");
    close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
    (void)read_all(job, &t); /* @t says it all */
    do
        r = write(answer, &t, sizeof(t));
    while (r < 0 && errno == EINTR);
    _exit(r != sizeof(t));
}

static int start(struct pvb_child *c, const struct job *job, struct pvboot_error *e)
{
    pid_t caller = getpid();
    sigset_t all, old;
    int end[2], err;

    *c = (struct pvb_child){ 0 };
    err = pvb_child_pipe(end, 0);
    if (err)
        return pvb_fail(e, PVBOOT_E_HOST, "no pipe to read it through: %s", strerror(err));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    c->pid = _Fork();
    if (!c->pid)
        child(job, end[1], caller);
    err = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    close(end[1]);
    c->answer = end[0];
    if (c->pid > 0) {
        err = pvb_child_watch(c);
        return err ? pvb_fail(e, PVBOOT_E_HOST, "no descriptor of who reads it: %s", strerror(err)) : 0;
    }
    close(end[0]);
    return pvb_fail(e, PVBOOT_E_HOST, "no process to read it: %s", strerror(err));
}

static uint64_t size_of(int memfd)
{
    struct stat st = { 0 };

    return memfd < 0 || fstat(memfd, &st) ? 0 : (uint64_t)st.st_size;
}

/* As long as enough arrives. */
static int listen_to(const struct pvb_child *c, const struct job *job, struct told *t, struct pvboot_error *e)
{
    uint64_t had, has = 0; /* bytes of the file that have arrived: when we began to wait this time, and since */
    size_t got;
    int err;

    do {
        had = has;
        err = pvb_child_listen(c, pvb_deadline(PVBOOT_STALL_MS), t, sizeof(*t), &got);
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

int pvb_read_elsewhere(int memfd, const char *path, uint64_t max, struct stat *st, struct pvboot_error *e)
{
    const struct job job = { .memfd = memfd, .path = path, .max = max };
    struct pvb_child c;
    struct told t;
    int rc;

    rc = start(&c, &job, e);
    if (rc)
        return rc;
    rc = listen_to(&c, &job, &t, e);
    pvb_child_end(&c, rc != 0);
    if (rc)
        return rc;
    *st = t.st;
    return t.e.code ? pvb_fail_escaped(e, (enum pvboot_class)t.e.code, "%s", t.e.text) : 0;
}
