/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The host's side of the faults: what libc gives, in front of libc.  Linked into a program or a preload, these
 * definitions are the ones that the plugin and the libraries under it find.
 */
#include "fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* glibc's allocator under the names it keeps for those who replace malloc(). */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
extern void __libc_free(void *p);
/* And read() by a name of its own: libxenstore's thread is cancelled in there, which a bare system call would not be. */
extern ssize_t __read(int fd, void *buf, size_t n);

static long live_blocks;

long fault_live_blocks(void)
{
    return live_blocks;
}

static void *counted(void *p)
{
    live_blocks += p != NULL;
    return p;
}

EXPORT void *malloc(size_t n)
{
    return fault_now(FAULT_ALLOC, "malloc") ? NULL : counted(__libc_malloc(n));
}

EXPORT void *calloc(size_t n, size_t size)
{
    return fault_now(FAULT_ALLOC, "calloc") ? NULL : counted(__libc_calloc(n, size));
}

EXPORT void *realloc(void *p, size_t n)
{
    void *q;

    if (fault_now(FAULT_ALLOC, "realloc"))
        return NULL;
    q = __libc_realloc(p, n);
    return p ? q : counted(q);
}

EXPORT void *aligned_alloc(size_t align, size_t n)
{
    return fault_now(FAULT_ALLOC, "aligned_alloc") ? NULL : counted(__libc_memalign(align, n));
}

EXPORT int posix_memalign(void **p, size_t align, size_t n)
{
    if (fault_now(FAULT_ALLOC, "posix_memalign"))
        return errno;
    *p = counted(__libc_memalign(align, n));
    return *p ? 0 : ENOMEM;
}

EXPORT void free(void *p)
{
    live_blocks -= p != NULL;
    __libc_free(p);
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    return fault_now(FAULT_OPEN, "open") ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open_at(AT_FDCWD, path, flags, mode);
}

/* With PVBOOT_STORE=FILE, that stands for what is noted of who serves xenstore. */
static const char *placed(const char *path)
{
    const char *store = getenv("PVBOOT_STORE");

    return store && !strcmp(path, "/var/run/xen/xenstored.pid") ? store : path;
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
    __typeof__(&fopen) real = (__typeof__(&fopen))dlsym(RTLD_NEXT, "fopen");

    return fault_now(FAULT_OPEN, "fopen") ? NULL : real(placed(path), mode);
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode;

    va_start(ap, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open_at(dir, path, flags, mode);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    return fault_now(FAULT_OPEN, "mkdir") ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

EXPORT int unlinkat(int dir, const char *path, int flags)
{
    return fault_now(FAULT_OPEN, "unlinkat") ? -1 : (int)syscall(SYS_unlinkat, dir, path, flags);
}

EXPORT int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return fault_now(FAULT_OPEN, "renameat") ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

EXPORT int access(const char *path, int mode)
{
    return fault_now(FAULT_OPEN, "access") ? -1 : (int)syscall(SYS_access, path, mode);
}

EXPORT int fstat(int fd, struct stat *st)
{
    return fault_now(FAULT_READ, "fstat") ? -1 : (int)syscall(SYS_fstat, fd, st);
}

EXPORT ssize_t read(int fd, void *buf, size_t n)
{
    return fault_now(FAULT_READ, "read") ? -1 : __read(fd, buf, n);
}

EXPORT int fstatfs(int fd, struct statfs *fs)
{
    return fault_now(FAULT_READ, "fstatfs") ? -1 : (int)syscall(SYS_fstatfs, fd, fs);
}

EXPORT ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
    return fault_now(FAULT_READ, "pread") ? -1 : syscall(SYS_pread64, fd, buf, n, at);
}

/* Not random at all for who is looked at: two builds from the same input are to make the same guest. */
EXPORT ssize_t getrandom(void *buf, size_t n, unsigned int flags)
{
    if (!fault_inside())
        return syscall(SYS_getrandom, buf, n, flags);
    if (fault_now(FAULT_READ, "getrandom"))
        return -1;
    memset(buf, 0x5a, n);
    return (ssize_t)n;
}

EXPORT ssize_t write(int fd, const void *buf, size_t n)
{
    return fault_now(FAULT_WRITE, "write") ? -1 : syscall(SYS_write, fd, buf, n);
}
