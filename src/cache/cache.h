/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Kernels that were unpacked before anybody wanted to start them.  An administrator fills the cache (pvb_cache_add), a build
 * only looks (pvb_cache_find): by all that stat(2) tells of a kernel that it holds under a lease, and by its ends.  What
 * it finds is checked as an answer of the confined parser is.
 */
#ifndef PVB_CACHE_H
#define PVB_CACHE_H

#include "../sandbox/sandbox.h"

/* The directory that @said names; NULL: "off".  @said NULL: where the program was built to look. */
const char *pvb_cache_dir(const char *said);

/*
 * find.c: is the kernel in @f, which is held, in the cache at @dir (NULL: there is none)?  Then @k is what
 * pvboot_kernel_confine() would have made of it with a path that needs the ELF, @k->elf_from is the entry's descriptor,
 * and no byte but what is placed need be read.  If not, or if the file is not one that a build may know by its stamps, @k
 * is zeroes, and @why says what an administrator should know of: an entry that is stale or odd.
 */
bool pvb_cache_find(struct pvboot_kernel *k, const struct pvboot_file *f, const char *dir, uint64_t unpacked_max,
                    struct pvboot_error *why) PVB_CHECKED;

#define PVB_CACHE_BYTES_MAX (1ull << 30) /* that its entries take together, unless said otherwise */

/* What filling and looking after it need. */
struct pvb_cache_job {
    const char *dir;
    const char *helper; /* path of pvboot-parse */
    struct pvboot_limits limits;
    uint64_t bytes_max; /* 0: PVB_CACHE_BYTES_MAX */
};

/* For people and programs. */
struct pvb_cache_fact {
    const char *path;    /* of the kernel's file when it was added */
    const char *state;   /* "fresh", "stale": another file is there now, "gone": none is; "odd": no entry to be used */
    const char *odd;     /* why it is odd, or, of an entry that was verified, bad; NULL: it is not */
    const char *version; /* the kernel's; NULL: not known */
    bool known;          /* the rest is */
    uint8_t file_sha256[32]; /* of the kernel's file */
    uint8_t elf_sha256[32];  /* of what it unpacks to */
    uint64_t elf_bytes;
    uint64_t disk_bytes; /* that the entry takes */
    int64_t used_s;      /* when it was last added or, as far as the file system tells, read */
    bool unpacked_again; /* it was verified, and that against the kernel itself */
};
typedef void pvb_cache_tell(const struct pvb_cache_fact *fact, void *closure);

/*
 * add.c: unpack @kernel by the confined parser, under every layer of the sandbox, and keep what comes out; what has not
 * been used for the longest time makes room.  Nothing if it is there already: then *@had.  As pvboot_file_hold() and
 * pvboot_kernel_confine(); -UNSUPPORTED: a build would not look for it; -LIMIT: larger than the cache; -HOST.
 */
int pvb_cache_add(const struct pvb_cache_job *job, const char *kernel, bool *had, struct pvboot_error *e) PVB_CHECKED;

/* list.c: tell of each entry.  -HOST. */
int pvb_cache_list(const struct pvb_cache_job *job, pvb_cache_tell *tell, void *closure,
                   struct pvboot_error *e) PVB_CHECKED;

/*
 * The same of each of @n kernels, or with @n 0 of all; each entry is read, hashed and, if its kernel is still
 * there, compared with what that unpacks to.  -MALFORMED: at least one is bad or odd, the text names the first;
 * -UNREADABLE: a kernel is not in the cache; -HOST.
 */
int pvb_cache_verify(const struct pvb_cache_job *job, char *const *kernel, int n, pvb_cache_tell *tell, void *closure,
                     struct pvboot_error *e) PVB_CHECKED;

/* drop.c: forget @kernel, whatever is there now; NULL: everything, odd files too.  -UNREADABLE: it is not in the cache. */
int pvb_cache_drop(const struct pvb_cache_job *job, const char *kernel, struct pvboot_error *e) PVB_CHECKED;

#endif
