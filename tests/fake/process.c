/* SPDX-License-Identifier: LGPL-2.1-only */
/* The host's side of the faults, second part: private memory that another process sees, and that process. */
#include "fault.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static long live_mappings;

long fault_live_mappings(void)
{
    return live_mappings;
}

EXPORT void *mmap(void *addr, size_t n, int prot, int flags, int fd, off_t off)
{
    void *p;

    if (fault_now(FAULT_MEMORY, "mmap"))
        return MAP_FAILED;
    p = (void *)syscall(SYS_mmap, addr, n, prot, flags, fd, off);
    live_mappings += p != MAP_FAILED && !(flags & MAP_FIXED);
    return p;
}

EXPORT int munmap(void *p, size_t n)
{
    live_mappings--;
    return (int)syscall(SYS_munmap, p, n);
}

EXPORT int memfd_create(const char *name, unsigned int flags)
{
    return fault_now(FAULT_MEMORY, "memfd_create") ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

EXPORT int ftruncate(int fd, off_t n)
{
    return fault_now(FAULT_MEMORY, "ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}

EXPORT int fcntl(int fd, int op, ...)
{
    va_list ap;
    long arg;

    va_start(ap, op);
    arg = va_arg(ap, long);
    va_end(ap);
    return fault_now(FAULT_MEMORY, "fcntl") ? -1 : (int)syscall(SYS_fcntl, fd, op, arg);
}

EXPORT int pipe2(int end[2], int flags)
{
    return fault_now(FAULT_PROCESS, "pipe2") ? -1 : (int)syscall(SYS_pipe2, end, flags);
}

EXPORT int socketpair(int domain, int type, int protocol, int end[2])
{
    return fault_now(FAULT_PROCESS, "socketpair") ? -1 : (int)syscall(SYS_socketpair, domain, type, protocol, end);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    return fault_now(FAULT_PROCESS, "recvmsg") ? -1 : syscall(SYS_recvmsg, fd, m, flags);
}

EXPORT pid_t _Fork(void)
{
    __typeof__(&_Fork) real = (__typeof__(&_Fork))dlsym(RTLD_NEXT, "_Fork");

    return fault_now(FAULT_PROCESS, "_Fork") ? -1 : real();
}

EXPORT pid_t fork(void)
{
    __typeof__(&fork) real = (__typeof__(&fork))dlsym(RTLD_NEXT, "fork");

    return fault_now(FAULT_PROCESS, "fork") ? -1 : real();
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa,
                       const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
    __typeof__(&posix_spawn) real = (__typeof__(&posix_spawn))dlsym(RTLD_NEXT, "posix_spawn");

    if (fault_now(FAULT_PROCESS, "posix_spawn"))
        return fault_error();
    return real(pid, path, fa, attr, argv, envp);
}

EXPORT int pidfd_open(pid_t pid, unsigned int flags)
{
    return fault_now(FAULT_PROCESS, "pidfd_open") ? -1 : (int)syscall(SYS_pidfd_open, pid, flags);
}

EXPORT int poll(struct pollfd *p, nfds_t n, int ms)
{
    return fault_now(FAULT_PROCESS, "poll") ? -1 : (int)syscall(SYS_poll, p, n, ms);
}

EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    return fault_now(FAULT_PROCESS, "waitid") ? -1 : (int)syscall(SYS_waitid, type, id, info, options, NULL);
}
