/* SPDX-License-Identifier: LGPL-2.1-only */
#include "memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define NOEXEC_SEAL 0x0008u /* MFD_NOEXEC_SEAL, since Linux 6.3; older headers lack it */
#define STANDARD_FDS 3

static int create(const char *name)
{
    unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(name, flags | NOEXEC_SEAL);

    return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

int pvb_memfd_room(uint64_t bytes, struct pvboot_error *e)
{
    struct rlimit most;

    if (getrlimit(RLIMIT_FSIZE, &most) || most.rlim_cur >= bytes)
        return 0;
    return pvb_fail(e, PVBOOT_E_HOST, "file size limit (ulimit -f) is %llu bytes, private memory needs %llu",
                    (unsigned long long)most.rlim_cur, (unsigned long long)bytes);
}

int pvb_memfd(const char *name, struct pvboot_error *e)
{
    int low = create(name), fd;

    if (low < 0)
        return pvb_fail(e, PVBOOT_E_HOST, "memfd_create: %s", strerror(errno));
    if (low >= STANDARD_FDS)
        return low;
    fd = fcntl(low, F_DUPFD_CLOEXEC, STANDARD_FDS); /* a caller without standard descriptors */
    close(low);
    return fd < 0 ? pvb_fail(e, PVBOOT_E_HOST, "dup: %s", strerror(errno)) : fd;
}

int pvb_memfd_put(int memfd, struct pvboot_bytes b, struct pvboot_error *e)
{
    const size_t all = b.len;

    while (b.len) {
        ssize_t r = write(memfd, b.p, b.len);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 && errno == EFAULT) /* what would have been SIGBUS, had we looked at it ourselves */
            return pvb_fail(e, PVBOOT_E_UNREADABLE, "changed while being copied: ends after %zu of %zu bytes",
                            all - b.len, all);
        if (r <= 0)
            return pvb_fail_errno(e, PVBOOT_E_HOST, "no memory for a private copy");
        b = pvboot_sub(b, (uint64_t)r, b.len - (size_t)r);
    }
    return 0;
}

int pvb_memfd_seal(struct pvboot_file *f, int memfd, size_t bytes, struct pvboot_error *e)
{
    void *p;

    if (fcntl(memfd, F_ADD_SEALS, SEALS))
        return pvb_fail(e, PVBOOT_E_HOST, "cannot seal private memory: %s", strerror(errno));
    p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, memfd, 0);
    if (p == MAP_FAILED)
        return pvb_fail(e, PVBOOT_E_HOST, "cannot map %zu bytes of private memory: %s", bytes, strerror(errno));
    *f = (struct pvboot_file){ .bytes = { p, bytes }, .owned = p, .mapped = bytes, .memfd = memfd };
    return 0;
}

int pvb_memfd_get(const struct pvboot_source *s, uint64_t off, void *dst, size_t n, struct pvboot_error *e)
{
    uint8_t *p = dst;

    while (n) {
        ssize_t got = pread(s->fd, p, n, (off_t)off);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pvb_fail_errno(e, PVBOOT_E_HOST, "reading the parser's output");
        if (!got)
            return pvb_fail(e, PVBOOT_E_INTERNAL, "the parser's output ends before 0x%llx", (unsigned long long)off);
        p += got;
        off += (size_t)got;
        n -= (size_t)got;
    }
    return 0;
}

void pvboot_file_dispose(struct pvboot_file *f)
{
    if (f->mapped) {
        munmap(f->owned, f->mapped);
        if (f->memfd >= 0)
            close(f->memfd);
    } else {
        free(f->owned);
    }
    if (f->held)
        close(f->fd); /* ends the lease */
    free(f->path);
    *f = (struct pvboot_file){ 0 };
}
