/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A guest that remembers what was written where: for `pvboot dump`, for pvboot_dump= and for tests.
 * With a second guest behind it, it passes every verb on first: a recording tee.
 */
#ifndef PVBOOT_RECORD_H
#define PVBOOT_RECORD_H

#include <pvboot/build.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pvboot_written {
    uint64_t gpa;
    struct pvboot_bytes bytes; /* owned by the record */
};

struct pvboot_record {
    struct pvboot_guest guest; /* first member */
    struct pvboot_guest *next; /* may be NULL */
    struct pvboot_memmap ram;  /* writes outside are -NOFIT, as on Xen; own ACPI tables lie inside */
    struct pvboot_written *w;  /* in order of writing; zeroes are not kept */
    size_t n, cap;
};

/* Start an empty record of a guest with @machine's RAM.  @next is borrowed. */
void pvboot_record_init(struct pvboot_record *r, const struct pvboot_machine *machine, struct pvboot_guest *next);

/* May grow: image.h.  Initialised; _free() closes it, and with it @next. */
struct pvboot_record *pvboot_record_new(const struct pvboot_machine *machine, struct pvboot_guest *next);
void pvboot_record_free(struct pvboot_record *r);

/*
 * Write the record to directory @dir (made if absent): one file for each segment of @plan that has been written to,
 * and manifest.json (as `plan --json`, with segments [{name, gpa, bytes, file, sha256, why}], and kernel_version).
 * A segment's file is called like the segment with '-' for ' '.  Such files of an earlier dump go.  All are for their
 * owner alone.  -HOST: @dir is a symbolic link, another user's or writable for others; or names the file and errno.
 */
int pvboot_record_dump(const struct pvboot_record *r, const struct pvboot_plan *plan, const struct pvboot_image *img,
                       const char *dir, struct pvboot_error *e);

#ifdef __cplusplus
}
#endif

#endif
