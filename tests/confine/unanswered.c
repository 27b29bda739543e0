/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * unanswered ignore|swallow DIRECTORY PROGRAM [ARGUMENT...]: run PROGRAM where DIRECTORY is a file system whose server
 * does not answer: ignores every request, which leaves a client that SIGKILL ends; or mounts properly and then reads them
 * for nothing, which leaves one that nothing ends while the mount is there.
 *
 * Nobody else sees that mount, and it is gone after PROGRAM.  Exit status: PROGRAM's, 128 and its signal, 77: no such
 * mount here, or 78: what PROGRAM left behind is still there when the mount is gone.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NONE_HERE 77
#define LEFT 78
#define REQUEST_MAX (FUSE_MIN_READ_BUFFER + (128u << 10))

static int mount_it(const char *directory)
{
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    char options[80];

    if (fd < 0)
        err(NONE_HERE, "/dev/fuse");
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
        err(NONE_HERE, "no mounts of our own");
    snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fd);
    if (mount("unanswered", directory, "fuse", 0, options))
        err(NONE_HERE, "mount %s", directory);
    return fd;
}

/* The server, until it is killed: answers that it is one, and nothing else. */
static _Noreturn void swallow(int fd)
{
    static union {
        struct fuse_in_header in;
        char bytes[REQUEST_MAX];
    } request;
    struct {
        struct fuse_out_header out;
        struct fuse_init_out init;
    } answer = { .out.len = sizeof(answer),
                 .init = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096 } };

    while (read(fd, &request, sizeof(request)) > 0)
        if (request.in.opcode == FUSE_INIT) {
            answer.out.unique = request.in.unique;
            if (write(fd, &answer, sizeof(answer)) < 0)
                err(NONE_HERE, "FUSE_INIT");
        }
    _exit(0);
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            err(70, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Does whoever is left end now? Orphans come to us. */
static int all_ended(void)
{
    for (int i = 0; i < 500; i++) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);

        if (pid < 0)
            return 1;
        if (!pid)
            usleep(10000);
    }
    return 0;
}

int main(int argc, char **argv)
{
    pid_t server = 0, program;
    int fd, rc;

    if (argc < 4)
        errx(64, "unanswered ignore|swallow DIRECTORY PROGRAM [ARGUMENT...]");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    fd = mount_it(argv[2]);
    if (!strcmp(argv[1], "swallow")) {
        server = fork();
        if (!server)
            swallow(fd);
    }
    program = fork();
    if (!program) {
        execvp(argv[3], argv + 3);
        err(70, "%s", argv[3]);
    }
    rc = wait_for(program);
    if (server)
        kill(server, SIGKILL);
    close(fd); /* ends the connection, and whoever waits */
    return all_ended() ? rc : LEFT;
}
