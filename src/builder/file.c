/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whole files into private memory. */
#include "sealed.h"
#include "source.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE (2ul << 20)
#define CHUNK 65536u

void *pvb_alloc(size_t bytes)
{
    void *p;

    if (bytes < HUGE_PAGE)
        return malloc(bytes ? bytes : 1);
    if (bytes > SIZE_MAX - HUGE_PAGE)
        return NULL;
    bytes = (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    p = aligned_alloc(HUGE_PAGE, bytes);
    if (p)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* only faster: 4 KiB pages do as well */
    return p;
}

void pvb_populate(void *p, size_t bytes)
{
    size_t skip = -(uintptr_t)p & (PVB_PAGE - 1);

    if (bytes > skip) /* only faster: whoever cannot takes a fault per page */
        (void)madvise((uint8_t *)p + skip, (bytes - skip) & ~(size_t)(PVB_PAGE - 1), MADV_POPULATE_WRITE);
}

static int read_heap(struct pvboot_file *f, const struct pvb_source *s, struct pvboot_error *e)
{
    size_t n = (size_t)s->st.st_size, got;
    int rc;

    f->owned = pvb_alloc(n);
    if (!f->owned)
        return pvb_fail(e, PVBOOT_E_HOST, "no memory for %zu bytes", n);
    pvb_populate(f->owned, n);
    f->bytes = (struct pvboot_bytes){ f->owned, n };
    rc = pvb_source_read(s, f->owned, n, &got, e);
    return rc ? rc : pvb_source_check(s, got, e);
}

static int copy(int memfd, const struct pvb_source *s, struct pvboot_error *e)
{
    uint64_t left = (uint64_t)s->st.st_size;
    uint8_t chunk[CHUNK];
    size_t got = CHUNK;
    int rc = 0;

    while (!rc && left && got == CHUNK) {
        rc = pvb_source_read(s, chunk, left < CHUNK ? (size_t)left : CHUNK, &got, e);
        if (!rc)
            rc = pvb_memfd_put(memfd, (struct pvboot_bytes){ chunk, got }, e);
        left -= got;
    }
    return rc ? rc : pvb_source_check(s, (uint64_t)s->st.st_size - left, e);
}

static int read_sealed(struct pvboot_file *f, const struct pvb_source *s, struct pvboot_error *e)
{
    int fd = pvb_memfd("pvboot-kernel", (uint64_t)s->st.st_size, e), rc;

    if (fd < 0)
        return fd;
    rc = copy(fd, s, e);
    if (!rc)
        rc = pvb_memfd_seal(f, fd, (size_t)s->st.st_size, e);
    if (rc)
        close(fd);
    return rc;
}

typedef int reader(struct pvboot_file *f, const struct pvb_source *s, struct pvboot_error *e);

static int read_by(reader *r, struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e)
{
    struct pvb_source s;
    int rc;

    *f = (struct pvboot_file){ 0 };
    rc = pvb_source_open(&s, path, max, e);
    if (rc)
        return pvb_in_file(e, path, rc);
    rc = r(f, &s, e);
    if (rc)
        pvboot_file_dispose(f);
    pvb_source_close(&s);
    return pvb_in_file(e, path, rc);
}

int pvboot_file_read(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e)
{
    return read_by(read_heap, f, path, max, e);
}

int pvboot_file_read_sealed(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e)
{
    return read_by(read_sealed, f, path, max, e);
}

int pvboot_file_seal(struct pvboot_file *f, struct pvboot_bytes bytes, struct pvboot_error *e)
{
    int fd = pvb_memfd("pvboot-kernel", bytes.len, e), rc;

    *f = (struct pvboot_file){ 0 };
    if (fd < 0)
        return fd;
    rc = pvb_memfd_put(fd, bytes, e);
    if (!rc)
        rc = pvb_memfd_seal(f, fd, bytes.len, e);
    if (rc)
        close(fd);
    return rc;
}

void pvboot_file_dispose(struct pvboot_file *f)
{
    if (f->mapped) {
        munmap(f->owned, f->mapped);
        close(f->memfd);
    } else {
        free(f->owned);
    }
    *f = (struct pvboot_file){ 0 };
}
