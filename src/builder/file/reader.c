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
#include <sys/prctl.h>
#include <unistd.h>

#define CHUNK 65536u

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

/* Names of the caller's own descriptors, /dev/stdin among them; what lies there has nobody to wait for. */
static bool names_descriptor(const char *path)
{
    return !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6);
}

static void close_all_but(int a, int b)
{
    int low = a < b ? a : b, high = a < b ? b : a;

    if (low > 0)
        close_range(0, (unsigned int)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned int)low + 1, (unsigned int)high - 1, 0);
    close_range((unsigned int)high + 1, ~0u, 0);
}

/*
 * All signals are blocked here, as the caller's handlers are still in place.  If it is held up, it keeps no descriptor of
 * its caller's open, no event channel above all.
 */
static _Noreturn void child(const struct job *job, int answer, pid_t caller)
{
    struct told t = { 0 };
    pid_t parent;
    ssize_t r;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    parent = getppid();
    if (parent && parent != caller) /* 0: in another namespace */
        _exit(1);
    prctl(PR_SET_NAME, "pvboot-read");
    if (!names_descriptor(job->path))
        close_all_but(answer, job->memfd);
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
