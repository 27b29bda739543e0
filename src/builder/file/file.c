/* SPDX-License-Identifier: LGPL-2.1-only */
/* Whole files into private memory. */
#include "memfd.h"
#include "reader.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct pvboot_file_version version(const struct stat *st)
{
    return (struct pvboot_file_version){ st->st_dev, st->st_ino, (uint64_t)st->st_size, st->st_ctim.tv_sec,
                                         st->st_ctim.tv_nsec };
}

static int fill(struct pvboot_file *f, int memfd, const char *path, uint64_t max, struct pvboot_error *e)
{
    struct stat st;
    int rc = pvb_read_elsewhere(memfd, path, max, &st, e);

    if (!rc)
        rc = pvb_memfd_seal(f, memfd, (size_t)st.st_size, e);
    if (!rc)
        f->version = version(&st);
    return rc;
}

int pvboot_file_read(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e)
{
    int fd = pvb_memfd("pvboot-file", e), rc;

    *f = (struct pvboot_file){ 0 };
    if (fd < 0)
        return pvb_in_file(e, path, fd);
    rc = fill(f, fd, path, max, e);
    if (rc) {
        (void)!ftruncate(fd, 0); /* who still reads keeps it open, but not its memory */
        close(fd);
    }
    return pvb_in_file(e, path, rc);
}

bool pvboot_file_unchanged(const struct pvboot_file *f, const char *path)
{
    struct pvboot_file_version now;
    struct stat st;

    if (pvb_read_elsewhere(-1, path, f->bytes.len, &st, NULL))
        return false;
    now = version(&st);
    return !memcmp(&now, &f->version, sizeof(now));
}

int pvboot_file_seal(struct pvboot_file *f, struct pvboot_bytes bytes, struct pvboot_error *e)
{
    int fd = pvb_memfd("pvboot-file", e), rc;

    *f = (struct pvboot_file){ 0 };
    if (fd < 0)
        return fd;
    rc = pvb_memfd_room(bytes.len, e);
    if (!rc)
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
