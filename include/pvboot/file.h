/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Whole files into private memory: one open, one size, one version, no mapping that another process can change or cut.
 */
#ifndef PVBOOT_FILE_H
#define PVBOOT_FILE_H

#include <pvboot/bytes.h>
#include <pvboot/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The first bytes of a kernel: enough to tell its format and where its payload starts. */
#define PVBOOT_FILE_HEAD (64u << 10)
#define PVBOOT_FILE_SPANS 3u /* at most this many ranges of a held file are copied */

/* What stat(2) tells of the file that has been read, while it was read. */
struct pvboot_file_version {
    uint64_t device, inode, bytes;
    int64_t changed_s, changed_ns;
};

/*
 * Bytes that are had by asking and not from memory; get NULL: there is no such thing.  Whoever asks says how many there
 * are, and asks for each once, in order.
 */
struct pvboot_source {
    /* Copies @n bytes at @off to @dst.  -UNREADABLE, -HOST. */
    int (*get)(const struct pvboot_source *s, uint64_t off, void *dst, size_t n, struct pvboot_error *e);
    int fd;           /* borrowed */
    const char *path; /* for messages; or NULL */
};

/* Of a file: @n bytes at @off. */
struct pvboot_span {
    uint64_t off, n;
};

/* @bytes views @owned, which pvboot_file_dispose() frees. */
struct pvboot_file {
    struct pvboot_bytes bytes;
    void *owned;
    size_t mapped; /* @owned is a read-only mapping of so many bytes; 0: it is heap */
    int memfd;     /* where @mapped: the sealed memory behind it, which nobody can change, us included; -1: none */
    struct pvboot_file_version version;
    /*
     * Held: the file itself is @fd, under a lease that keeps writers away.  Of @bytes, the first @n_shown of @shown
     * are a sealed copy then, and all else reads as zero; with 0 there is nothing at all to be read.
     */
    bool held;
    int fd;
    char *path; /* of what is held, for messages */
    struct pvboot_span shown[PVBOOT_FILE_SPANS];
    uint32_t n_shown;
};

/*
 * Read all of @path into sealed memory, which a confined parser can be given: a regular file (a FIFO or device is refused
 * without blocking), 1 to @max bytes.  Where the file system grants a lease, writers wait until it has been read;
 * elsewhere it must have been quiet for a moment.  A child process does it, so that a file system that no longer
 * answers is given up after PVBOOT_STALL_MS; a slow one may take so long for every PVBOOT_STALL_BYTES.
 * -UNREADABLE: absent, not regular, empty, being written, changed while it was read, or slower than
 * PVBOOT_STALL_BYTES in PVBOOT_STALL_MS; -LIMIT: over @max, without reading it; -HOST: no memory, no process.
 * @e names the file.
 */
int pvboot_file_read(struct pvboot_file *f, const char *path, uint64_t max, struct pvboot_error *e);

/*
 * @path itself or, where it is a directory, each file in it that is not hidden, in the C locale's order: *@n of @room files
 * at @f.  As pvboot_file_read(); -LIMIT: no room; -UNREADABLE: a directory without files.  What has been read is the
 * caller's to dispose of, also after an error.  A directory is listed by this process, and not elsewhere.
 */
int pvboot_files_read(struct pvboot_file *f, uint32_t room, uint32_t *n, const char *path, uint64_t max,
                      struct pvboot_error *e);

/* Of what is held, there is a copy of this. */
enum pvboot_show {
    PVBOOT_SHOW_NOTHING,
    PVBOOT_SHOW_HEADERS, /* of a bzImage: its setup part and what that points to, a payload's first and last bytes, kernel_info */
    PVBOOT_SHOW_BEGINNING /* as HEADERS, and always the first PVBOOT_FILE_HEAD bytes, which hold the start of the payload */
};

/*
 * As pvboot_file_read(), but without a copy of all of it where the file can be held until pvboot_file_dispose(): on a file
 * system of this machine that grants a lease.  Elsewhere as pvboot_file_read().
 */
int pvboot_file_hold(struct pvboot_file *f, const char *path, uint64_t max, enum pvboot_show show,
                     struct pvboot_error *e);

/* Make of a file that is held the whole copy that pvboot_file_read() makes, and let go of it.  Errors as there. */
int pvboot_file_copy(struct pvboot_file *f, struct pvboot_error *e);

/* The file that is held; where none is, and the bytes are in memory, zeroes. */
struct pvboot_source pvboot_file_source(const struct pvboot_file *f);

/*
 * To be called once, when all has been read that will be: 0 if it was of one version, since nobody could write until now;
 * from then on whoever wants to can.  -UNREADABLE, -HOST.  What is not held is a copy: 0.
 */
int pvboot_file_settle(struct pvboot_file *f, struct pvboot_error *e);

/* Is @path, by all that stat(2) tells, still the version in @f, which was read?  No, if that cannot be told. */
bool pvboot_file_unchanged(const struct pvboot_file *f, const char *path);

/*
 * A sealed copy of @bytes, 1 at least, which may be a mapping of a file that somebody else cuts meanwhile: that is an error
 * and no signal.  -UNREADABLE: it was cut; -HOST.
 */
int pvboot_file_seal(struct pvboot_file *f, struct pvboot_bytes bytes, struct pvboot_error *e);

/* Idempotent; accepts a zeroed struct. */
void pvboot_file_dispose(struct pvboot_file *f);

#ifdef __cplusplus
}
#endif

#endif
