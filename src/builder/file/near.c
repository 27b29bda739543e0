/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A look-up from what the kernel knows waits for nobody, and neither does a look at the table of mounts.  Only then is
 * the file opened, by its descriptor, so that it is the one that was looked at.
 */
#include "near.h"
#include "file.h"
#include "snapshot.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOUNTS "/proc/self/mountinfo"

int pvb_near_path(const char *path)
{
    struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS };

    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* The types of pvb_file_is_local(), by name: to be known before anything is asked of the file system itself. */
static bool is_local_type(const char *type, size_t n)
{
    static const char *const local[] = { "ext2",   "ext3",  "ext4",  "xfs",      "btrfs", "f2fs",
                                         "rootfs", "tmpfs", "ramfs", "squashfs", "erofs", "iso9660" };

    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        if (strlen(local[i]) == n && !memcmp(local[i], type, n))
            return true;
    return false;
}

/* proc(5): the number of the mount comes first, the type of its file system behind " - ". */
static bool is_local_row(const char *row, uint64_t mount)
{
    const char *type = strstr(row, " - ");
    char *end;

    return type && strtoull(row, &end, 10) == mount && *end == ' ' && is_local_type(type + 3, strcspn(type + 3, " "));
}

static bool is_local_mount(uint64_t mount)
{
    FILE *f = fopen(MOUNTS, "re");
    bool found = false;
    char *row = NULL;
    size_t room = 0;

    if (!f)
        return false;
    while (!found && getline(&row, &room, f) > 0)
        found = is_local_row(row, mount);
    free(row);
    fclose(f);
    return found;
}

/* A regular file, of a file system that answers. */
static bool can_be_opened(int fd)
{
    const unsigned int want = STATX_TYPE | STATX_MNT_ID;
    struct statx s;

    return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, want, &s) && (s.stx_mask & want) == want &&
           S_ISREG(s.stx_mode) && is_local_mount(s.stx_mnt_id);
}

static int open_near(const char *path)
{
    int by = pvb_near_path(path), fd = -1;
    char name[32];

    if (by < 0)
        return -1;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", by);
    if (can_be_opened(by))
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    close(by);
    return fd;
}

/* Under a lease of ours, of whose end nobody is to be told. */
static bool hold_still(struct pvb_snapshot *s, uint64_t max)
{
    return pvb_file_is_local(s->fd) && pvb_snapshot_lease(s, max) && !fcntl(s->fd, F_SETOWN, 0);
}

/* Clear of the standard descriptors, which a caller may be without. */
static int lift(int low)
{
    int fd = low > STDERR_FILENO ? low : fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (fd != low)
        close(low);
    return fd;
}

bool pvb_read_near(struct pvb_reading *r)
{
    struct pvb_snapshot s = { .fd = -1 };

    r->fd = -1;
    if (r->hold || r->memfd < 0)
        s.fd = open_near(r->path);
    if (s.fd >= 0)
        s.fd = lift(s.fd);
    if (s.fd < 0)
        return false;
    if (!hold_still(&s, r->max)) {
        pvb_snapshot_close(&s);
        return false;
    }
    r->st = s.st;
    if (r->hold)
        r->fd = s.fd;
    else
        pvb_snapshot_close(&s);
    return true;
}
