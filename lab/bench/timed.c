/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * timed [--group DIR] [--until FILE WORD] COMMAND...: runs it and says how long it took, to the nanosecond:
 * "took NS processes N", and with --until "until NS", when WORD had appeared in FILE.
 *
 * --group: in that control group.  processes: started meanwhile by anybody, threads and the command itself included.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 2000000
#define UNTIL_SECONDS 120u

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static char *contents(const char *path)
{
    static char text[1 << 18];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t got = 0;

    while (fd >= 0 && used + 1 < sizeof(text) && (got = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
        used += (size_t)got;
    if (fd >= 0)
        close(fd);
    text[used] = 0;
    return text;
}

static uint64_t processes(void)
{
    const char word[] = "\nprocesses ", *at = strstr(contents("/proc/stat"), word);

    return at ? strtoull(at + sizeof(word) - 1, NULL, 10) : 0;
}

static void join(const char *group)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/cgroup.procs", group);
    f = fopen(path, "we");
    if (!f || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f))
        err(70, "%s", path);
}

static void wait_until(const char *path, const char *word, uint64_t begun)
{
    const struct timespec pause = { .tv_nsec = LOOK_NS };

    while (!strstr(contents(path), word)) {
        if (now() - begun > UNTIL_SECONDS * UINT64_C(1000000000))
            errx(1, "no %s in %s after %u s", word, path, UNTIL_SECONDS);
        nanosleep(&pause, NULL);
    }
    printf("until %" PRIu64 "\n", now() - begun);
}

int main(int argc, char **argv)
{
    const char *group = NULL, *path = NULL, *word = NULL;
    uint64_t begun, before;
    int status, i = 1;
    pid_t pid;

    for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
        if (!strcmp(argv[i], "--group") && i + 1 < argc)
            group = argv[++i];
        else if (!strcmp(argv[i], "--until") && i + 2 < argc) {
            path = argv[++i];
            word = argv[++i];
        } else
            errx(64, "%s: no such option, or no value", argv[i]);
    }
    if (i >= argc)
        errx(64, "timed [--group DIR] [--until FILE WORD] COMMAND...");
    before = processes();
    begun = now();
    pid = fork();
    if (pid < 0)
        err(70, "fork");
    if (!pid) {
        if (group)
            join(group);
        execvp(argv[i], argv + i);
        err(127, "%s", argv[i]);
    }
    if (waitpid(pid, &status, 0) != pid)
        err(70, "waitpid");
    printf("took %" PRIu64 " processes %" PRIu64 "\n", now() - begun, processes() - before);
    if (path && !status)
        wait_until(path, word, begun);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
