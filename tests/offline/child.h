/* SPDX-License-Identifier: LGPL-2.1-only */
/* With PVBOOT_CHILD=FILE set, start a program as xl starts qemu and hotplug scripts; FILE gets its environment. */
#ifndef OFFLINE_CHILD_H
#define OFFLINE_CHILD_H

#include <err.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void start_child(void)
{
    char *argv[] = { "sh", "-c", "/usr/bin/env >\"$PVBOOT_CHILD\"", NULL };
    int status = 0;
    pid_t pid;

    if (!getenv("PVBOOT_CHILD"))
        return;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) || waitpid(pid, &status, 0) != pid || status)
        errx(70, "child: status %d", status);
}

#endif
