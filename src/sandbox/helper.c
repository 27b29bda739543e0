/* SPDX-License-Identifier: LGPL-2.1-only */
/* Starting the helper. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <unistd.h>

#define FD_PROGRAM PVB_FDS /* what the helper is executed from; it closes it like any other */

#define PASSWD "/etc/passwd"

/* What is started, and whom it becomes. */
struct program {
    int fd;
    struct pvb_user user;
};

/*
 * The helper's program stays open from its first use, or from when a caller says that it will be used.  An xl that
 * watches its guest for months starts, when that guest reboots, the helper it knows and not the one of a package that
 * was upgraded meanwhile.
 */
static struct {
    pthread_mutex_t lock;
    char path[PATH_MAX]; /* "": none yet */
    struct program of;
} known = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int remember(const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (known.path[0])
        close(known.of.fd);
    known.of = (struct program){ fd, pvb_parser_user(PASSWD) };
    snprintf(known.path, sizeof(known.path), "%s", path);
    return 0;
}

void pvboot_confine_prepare(const char *helper)
{
    pthread_mutex_lock(&known.lock);
    (void)remember(helper); /* what fails now is said when it is needed */
    pthread_mutex_unlock(&known.lock);
}

/* Its descriptor is for the caller to close; -1 with errno. */
static struct program program_at(const char *path)
{
    struct program p = { .fd = -1 };

    pthread_mutex_lock(&known.lock);
    if (!strcmp(known.path, path) || !remember(path)) {
        p = known.of;
        p.fd = fcntl(p.fd, F_DUPFD_CLOEXEC, FD_PROGRAM + 1);
    }
    pthread_mutex_unlock(&known.lock);
    return p;
}

static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    /* Its own group: a ^C is for the caller to take, and the helper dies with it. */
    return posix_spawnattr_setsigdefault(attr, &all) || posix_spawnattr_setsigmask(attr, &none) ||
           posix_spawnattr_setpgroup(attr, 0) ||
           posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
}

static int set_files(posix_spawn_file_actions_t *fa, const struct pvb_run *run, int answer, int prog)
{
    return posix_spawn_file_actions_adddup2(fa, run->in, PVB_FD_FILE) ||
           posix_spawn_file_actions_adddup2(fa, run->out, PVB_FD_OUTPUT) ||
           posix_spawn_file_actions_adddup2(fa, answer, PVB_FD_ANSWER) ||
           posix_spawn_file_actions_adddup2(fa, prog, FD_PROGRAM) ||
           posix_spawn_file_actions_addclosefrom_np(fa, FD_PROGRAM + 1);
}

/* posix_spawn() and not fork(): the child never has our memory, and our atfork handlers stay out of it. */
static int spawn(pid_t *pid, const struct pvb_run *run, int answer, const struct program *p)
{
    char name[] = "pvboot-parse", caller[16], uid[16], gid[16], path[32];
    char *errand = (char *)pvb_errand_name(run->errand);
    char *argv[] = { name, (char *)run->arg[0], (char *)run->arg[1], errand, caller, uid, gid, NULL };
    char *envp[] = { NULL };
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    int r = ENOMEM;

    snprintf(caller, sizeof(caller), "%d", (int)getpid());
    snprintf(uid, sizeof(uid), "%u", p->user.uid);
    snprintf(gid, sizeof(gid), "%u", p->user.gid);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", FD_PROGRAM);
    if (posix_spawn_file_actions_init(&fa))
        return r;
    if (!posix_spawnattr_init(&attr)) {
        if (!set_attributes(&attr) && !set_files(&fa, run, answer, p->fd))
            r = posix_spawn(pid, path, &fa, &attr, argv, envp);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&fa);
    return r;
}

/* Is the host short of something, or is there no helper to confine? */
static enum pvboot_class whose_fault(int err)
{
    bool host = err == ENOMEM || err == EAGAIN || err == EMFILE || err == ENFILE;

    return host ? PVBOOT_E_HOST : PVBOOT_E_SANDBOX;
}

int pvb_helper_start(struct pvb_child *c, const struct pvb_run *run, struct pvboot_error *e)
{
    struct program prog;
    int end[2], r;

    *c = (struct pvb_child){ 0 };
    prog = program_at(run->helper);
    if (prog.fd < 0)
        return pvb_fail(e, whose_fault(errno), "the confined parser %s: %s", run->helper, strerror(errno));
    r = pvb_child_pipe(end, FD_PROGRAM + 1);
    if (r) {
        close(prog.fd);
        return pvb_fail(e, PVBOOT_E_HOST, "no pipe for the confined parser: %s", strerror(r));
    }
    r = spawn(&c->pid, run, end[1], &prog);
    close(prog.fd);
    close(end[1]);
    c->answer = end[0];
    if (!r) {
        r = pvb_child_watch(c);
        return r ? pvb_fail(e, PVBOOT_E_HOST, "no descriptor of the confined parser: %s", strerror(r)) : 0;
    }
    close(end[0]);
    return pvb_fail(e, whose_fault(r), "starting the confined parser %s: %s", run->helper, strerror(r));
}
