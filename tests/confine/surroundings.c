/* SPDX-License-Identifier: LGPL-2.1-only */
#include "surroundings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pvboot/limits.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t n = 0;

    while (d && readdir(d))
        n++;
    closedir(d);
    return n;
}

/* Bytes of memory this process can see, but for the heap, which libc keeps. */
static size_t count_mapped(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned long from, to;
    char line[512];
    size_t sum = 0;

    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "%lx-%lx", &from, &to) == 2 && !strstr(line, "[heap]"))
            sum += to - from;
    fclose(f);
    return sum;
}

void surroundings_take(struct surroundings *s)
{
    s->fds = count_fds();
    s->mapped = count_mapped();
}

void surroundings_assert(const struct surroundings *s, const char *after)
{
    struct surroundings now;

    surroundings_take(&now);
    if (now.fds != s->fds || now.mapped != s->mapped)
        fail_msg("%s: %zu descriptors, then %zu; %zu bytes mapped, then %zu", after, s->fds, now.fds, s->mapped,
                 now.mapped);
    if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
        fail_msg("%s: a child is left", after);
}

void surroundings_assert_but_program(const struct surroundings *s)
{
    struct surroundings now;

    surroundings_take(&now);
    assert_in_range(now.fds, s->fds - 1, s->fds + 1);
    assert_int_equal(now.mapped, s->mapped);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int output_memory(void)
{
    int fd = memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_int_equal(ftruncate(fd, PVBOOT_UNPACKED_MAX), 0);
    return fd;
}

/* @key's value in /proc/@pid/status, or -1. */
static int status_of(pid_t pid, const char *key)
{
    char path[64], line[256];
    int value = -1;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, key, strlen(key)))
            value = atoi(line + strlen(key));
    if (f)
        fclose(f);
    return value;
}

pid_t confined_child_of(pid_t pid)
{
    char path[64];
    int child = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    f = fopen(path, "r");
    if (f && fscanf(f, "%d", &child) != 1)
        child = 0;
    if (f)
        fclose(f);
    return child && status_of(child, "Seccomp:") == 2 ? child : 0;
}

bool is_running(pid_t pid)
{
    return status_of(pid, "PPid:") >= 0 && status_of(pid, "VmSize:") >= 0; /* a zombie has no memory */
}

void odd_no_stdio(void)
{
    close(0);
    close(1);
    close(2);
}

void odd_ignores_children(void)
{
    signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
}

static void on_signal(int sig)
{
    (void)sig;
}

void odd_handles_children(void)
{
    struct sigaction a = { .sa_handler = on_signal }; /* and interrupts system calls */

    sigaction(SIGCHLD, &a, NULL);
}

static void *reap_everything(void *arg)
{
    for (;;)
        waitpid(-1, NULL, 0);
    return arg;
}

void odd_thief(void)
{
    pthread_t t;

    pthread_create(&t, NULL, reap_everything, NULL);
}

void odd_timer(void)
{
    struct sigaction a = { .sa_handler = on_signal };
    struct itimerval often = { { 0, 200 }, { 0, 200 } };

    sigaction(SIGALRM, &a, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

void odd_blocks_all_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

void odd_small_files(void)
{
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1 << 20, 1 << 20 });
}

void odd_few_descriptors(int n)
{
    int first = fcntl(0, F_DUPFD, 0);

    close(first);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ (rlim_t)(first + n), 4096 });
}

/* A kernel without @call, or only without it when argument @arg is @value. */
static void lack(int call, unsigned n, struct scmp_arg_cmp arg)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);

    if (seccomp_rule_add_array(f, SCMP_ACT_ERRNO(ENOSYS), call, n, &arg) || seccomp_load(f))
        _exit(99);
    seccomp_release(f);
}

#define WHOLE(call) lack(SCMP_SYS(call), 0, (struct scmp_arg_cmp){ 0, SCMP_CMP_EQ, 0, 0 })
#define WHEN(call, value) lack(SCMP_SYS(call), 1, (struct scmp_arg_cmp){ 0, SCMP_CMP_EQ, value, 0 })

void lack_close_range(void)
{
    WHOLE(close_range);
}

void lack_limits(void)
{
    lack(SCMP_SYS(prlimit64), 1, (struct scmp_arg_cmp){ 1, SCMP_CMP_EQ, RLIMIT_AS, 0 });
}

void lack_users(void)
{
    WHOLE(setresuid);
}

void lack_capset(void)
{
    WHOLE(capset);
}

void lack_death_signal(void)
{
    WHEN(prctl, PR_SET_PDEATHSIG);
}

void lack_dumpable(void)
{
    WHEN(prctl, PR_SET_DUMPABLE);
}

/* Our filter has set it for whoever we start, so Landlock works all the same; libseccomp wants to set it once more. */
void lack_no_new_privs(void)
{
    WHEN(prctl, PR_SET_NO_NEW_PRIVS);
}

void lack_landlock(void)
{
    WHOLE(landlock_create_ruleset);
}

void lack_no_descriptors(void)
{
    lack(SCMP_SYS(prlimit64), 1, (struct scmp_arg_cmp){ 1, SCMP_CMP_EQ, RLIMIT_NOFILE, 0 });
}

/* Filters stack: the last one loaded must still be there to forbid the loading of others. */
void lack_seccomp(void)
{
    WHEN(prctl, PR_SET_SECCOMP);
    WHOLE(seccomp);
}
