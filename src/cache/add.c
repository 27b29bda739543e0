/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * From a kernel's file to an entry.  The file is held while its stamps are taken and it is copied; of that one copy are the
 * digest and what the confined parser unpacks.
 */
#include "../builder/file/file.h"
#include "../builder/load/load.h"
#include "inner.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PART (1u << 20)
/*
 * Stamps are coarse: what is written right after a version may have the same ones.  So a version is taken that has been
 * there for this long, and of whoever writes next they differ.
 */
#define SETTLED_NS 200000000ll
#define LOOK_NS 10000000
#define PATIENCE 100

struct adding {
    const struct pvb_cache_job *job;
    char path[PATH_MAX];
    struct pvb_cache_id id;
    struct pvboot_file file;
    struct pvboot_kernel kernel;
    uint8_t sha256[32];
};

static long long age_ns(const struct pvb_cache_id *id)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec - id->changed_s > 1)
        return SETTLED_NS;
    return (now.tv_sec - id->changed_s) * 1000000000ll + now.tv_nsec - id->changed_ns;
}

static int await_age(const struct pvb_cache_id *id, struct pvboot_error *e)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (age_ns(id) >= SETTLED_NS)
            return 0;
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_NS }, NULL);
    }
    return pvb_fail(e, PVBOOT_E_UNREADABLE,
                    "changed in the future, by this machine's clock: its versions cannot be told");
}

/* The version that is held, if a build may know it by its stamps. */
static int identify(struct adding *a, struct pvboot_error *e)
{
    bool trusted;
    int rc;

    if (!a->file.held)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "another user's, or on a file system that grants no lease or may stall: "
                        "no build would look for it in the cache");
    rc = pvb_cache_id_of(a->file.fd, &a->id, &trusted, e);
    if (rc)
        return rc;
    if (!trusted)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "others than root can write to it: no build would look for it in the cache");
    return await_age(&a->id, e);
}

/* Is it there already?  What is odd is made anew, and so is what is another's. */
static bool is_there(const struct pvb_store *s, const struct adding *a)
{
    char name[PVB_CACHE_NAME_BYTES];
    struct pvb_cache_entry entry;
    struct pvb_cache_key key;

    pvb_cache_key_name(name, &a->id);
    if (pvb_cache_key_read(s, name, &key, NULL) || !pvb_cache_same_id(&key.id, &a->id) || strcmp(key.path, a->path) ||
        pvb_cache_entry_open(&entry, s, &key, NULL))
        return false;
    (void)!futimens(entry.fd, NULL); /* it is wanted */
    close(entry.fd);
    return true;
}

/* As the helper is asked by a build; the copy it gets is what is hashed. */
static int unpack(struct adding *a, struct pvboot_error *e)
{
    struct pvboot_confine c = { .helper = a->job->helper, .limits = a->job->limits, .path = PVBOOT_PATH_VMLINUX64 };
    const uint64_t bytes = a->file.bytes.len;
    struct pvb_hash hash;
    int rc = pvboot_kernel_confine(&a->kernel, &a->file, &c, e);

    if (rc)
        return rc;
    if (!pvb_cache_worthy(&a->kernel.image) || !a->kernel.elf_from.get)
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED,
                        "no bzImage with a packed payload and nothing around it: the cache has "
                        "nothing to save");
    if (a->file.held || a->file.bytes.len != bytes)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "what was unpacked is no copy of the file");
    rc = pvb_hash_open(&hash, e);
    if (rc)
        return rc;
    pvb_hash_more(&hash, a->file.bytes);
    pvb_hash_close(&hash, a->sha256);
    return 0;
}

static bool is_zero(const uint8_t *p, size_t n)
{
    return !p[0] && !memcmp(p, p + 1, n - 1);
}

/* Pages of zeroes are left out. */
static int write_part(int fd, uint64_t off, const uint8_t *p, size_t n, struct pvboot_error *e)
{
    int rc = 0;

    for (size_t at = 0, page, end; !rc && at < n; at = end) {
        for (end = at; end < n; end += page) {
            page = n - end < PVB_PAGE ? n - end : (size_t)PVB_PAGE;
            if (is_zero(p + end, page))
                break;
        }
        if (end > at)
            rc = pvb_store_write(fd, off + at, p + at, end - at, e);
        else
            end = n - at < PVB_PAGE ? n : at + (size_t)PVB_PAGE;
    }
    return rc;
}

static int write_elf(int fd, const struct pvboot_kernel *k, uint8_t sha256[32], struct pvboot_error *e)
{
    uint64_t n = k->image.bz.unpacked_bytes;
    uint8_t *part = malloc(PART);
    struct pvb_hash hash = { 0 };
    int rc = part ? pvb_hash_open(&hash, e) : pvb_fail(e, PVBOOT_E_HOST, "no memory to copy by way of");

    for (uint64_t done = 0, some; !rc && done < n; done += some) {
        some = n - done < PART ? n - done : PART;
        rc = k->elf_from.get(&k->elf_from, k->elf_off + done, part, (size_t)some, e);
        if (!rc)
            rc = write_part(fd, PVB_CACHE_BODY_OFF + done, part, (size_t)some, e);
        if (!rc)
            pvb_hash_more(&hash, (struct pvboot_bytes){ part, (size_t)some });
    }
    if (!rc && ftruncate(fd, (off_t)(PVB_CACHE_BODY_OFF + n)))
        rc = pvb_fail_errno(e, PVBOOT_E_HOST, "cannot write an entry");
    if (hash.md)
        pvb_hash_close(&hash, rc ? NULL : sha256);
    free(part);
    return rc;
}

static int check_size(const struct adding *a, int fd, struct pvboot_error *e)
{
    uint64_t max = pvboot_limit(a->job->bytes_max, PVB_CACHE_BYTES_MAX);
    struct stat st;

    if (fstat(fd, &st))
        return pvb_fail_errno(e, PVBOOT_E_HOST, "fstat");
    if ((uint64_t)st.st_blocks * 512 > max)
        return pvb_fail(e, PVBOOT_E_LIMIT, "its entry takes %llu bytes, the cache's limit is %llu",
                        (unsigned long long)st.st_blocks * 512, (unsigned long long)max);
    return 0;
}

static int put_entry(const struct pvb_store *s, const struct adding *a, struct pvboot_error *e)
{
    char name[PVB_CACHE_NAME_BYTES];
    struct pvb_cache_head head;
    uint8_t elf_sha256[32];
    int fd = pvb_store_new(s, e), rc;

    if (fd < 0)
        return fd;
    rc = pvb_memfd_room(PVB_CACHE_BODY_OFF + a->kernel.image.bz.unpacked_bytes, e);
    if (!rc)
        rc = write_elf(fd, &a->kernel, elf_sha256, e);
    if (!rc) {
        pvb_cache_head_make(&head, &a->kernel.image, a->sha256, elf_sha256);
        rc = pvb_cache_digest_head(&head, head.head_sha256, e);
    }
    if (!rc)
        rc = pvb_store_write(fd, 0, &head, sizeof(head), e);
    if (!rc)
        rc = check_size(a, fd, e);
    pvb_cache_entry_name(name, a->sha256);
    if (!rc)
        return pvb_store_name(s, fd, name, e);
    pvb_store_drop_new(s, fd);
    return rc;
}

static int put_key(const struct pvb_store *s, const struct adding *a, struct pvboot_error *e)
{
    char name[PVB_CACHE_NAME_BYTES];
    struct pvb_cache_key key;
    int rc = pvb_cache_key_make(&key, &a->id, a->sha256, a->path, e), fd;
    bool any;

    if (rc)
        return rc;
    fd = pvb_store_new(s, e);
    if (fd < 0)
        return fd;
    rc = pvb_store_write(fd, 0, &key, sizeof(key), e);
    if (rc) {
        pvb_store_drop_new(s, fd);
        return rc;
    }
    pvb_cache_key_name(name, &a->id);
    rc = pvb_store_name(s, fd, name, e);
    return rc ? rc : pvb_cache_forget(s, a->path, name, &any, e);
}

/* The entry first: a key without one is odd, one without a key nobody's. */
static int put(const struct pvb_store *s, const struct adding *a, struct pvboot_error *e)
{
    char name[PVB_CACHE_NAME_BYTES];
    int lock = pvb_store_lock(s, e), rc;

    if (lock < 0)
        return lock;
    rc = put_entry(s, a, e);
    if (!rc)
        rc = put_key(s, a, e);
    pvb_cache_entry_name(name, a->sha256);
    if (!rc)
        rc = pvb_cache_sweep(s, e);
    if (!rc)
        rc = pvb_cache_make_room(s, name, pvboot_limit(a->job->bytes_max, PVB_CACHE_BYTES_MAX), e);
    close(lock);
    return rc;
}

static int add_in(const struct pvb_store *s, struct adding *a, const char *kernel, bool *had, struct pvboot_error *e)
{
    int rc;

    if (!realpath(kernel, a->path))
        return pvb_in_file(e, kernel, pvb_fail_errno(e, PVBOOT_E_UNREADABLE, "open"));
    rc = pvboot_file_hold(&a->file, a->path, pvboot_limit(a->job->limits.kernel, PVBOOT_KERNEL_MAX),
                          PVBOOT_SHOW_BEGINNING, e);
    if (rc)
        return rc;
    rc = identify(a, e);
    *had = !rc && is_there(s, a);
    if (!rc && !*had)
        rc = unpack(a, e);
    if (!rc && !*had)
        rc = put(s, a, e);
    return pvb_in_file(e, a->path, rc);
}

int pvb_cache_add(const struct pvb_cache_job *job, const char *kernel, bool *had, struct pvboot_error *e)
{
    struct adding a = { .job = job };
    struct pvb_store s;
    int rc;

    rc = pvb_digest_ready(e);
    if (!rc)
        rc = pvb_store_open(&s, job->dir, true, e);
    if (rc)
        return rc < 0 ? rc : pvb_in_file(e, job->dir, pvb_fail(e, PVBOOT_E_HOST, "somebody takes the directory away"));
    rc = add_in(&s, &a, kernel, had, e);
    pvboot_kernel_dispose(&a.kernel);
    pvboot_file_dispose(&a.file);
    pvb_store_close(&s);
    return rc;
}
