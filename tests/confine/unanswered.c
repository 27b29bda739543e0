/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * unanswered DIRECTORY PROGRAM [ARGUMENT...]: run PROGRAM where DIRECTORY is a file system whose server never answers.
 * Nobody else sees that mount; it is gone with PROGRAM.  Exit status: PROGRAM's, 128 and its signal, or 77: none here.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define NONE_HERE 77

static void mount_it(const char *directory)
{
    char options[80];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        err(NONE_HERE, "/dev/fuse");
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        err(NONE_HERE, "no mounts of our own");
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
    if (mount("unanswered", directory, "fuse", 0, options))
        err(NONE_HERE, "mount %s", directory);
}

int main(int argc, char **argv)
{
    int status;
    pid_t pid;

    if (argc < 3)
        errx(64, "unanswered DIRECTORY PROGRAM [ARGUMENT...]");
    mount_it(argv[1]);
    pid = fork();
    if (!pid) {
        execvp(argv[2], argv + 2);
        err(70, "%s", argv[2]);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            err(70, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
