/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What lies in the cache: for each kernel a key, by which its file is known without a look into it, and for each content
 * an entry: a head, and the unpacked ELF behind it.  Of this machine alone, in its byte order.
 */
#ifndef PVB_CACHE_ENTRY_H
#define PVB_CACHE_ENTRY_H

#include "../sandbox/sandbox.h"

#define PVB_CACHE_BODY_OFF 16384u        /* of the ELF in its entry: whole pages */
#define PVB_CACHE_KEY_MAGIC 0x4b437650u  /* PvCK */
#define PVB_CACHE_HEAD_MAGIC 0x68437650u /* PvCh */
#define PVB_CACHE_NAME_BYTES 80u

/* A version of a file, by all that the kernel tells of it, and how it begins and ends. */
struct pvb_cache_id {
    uint64_t device, inode, bytes;
    int64_t modified_s, modified_ns, changed_s, changed_ns;
    uint64_t generation; /* of the inode; 0 where the file system knows none */
    uint64_t ends;       /* a checksum over the first and the last bytes: of an image its maker chose all before this */
};

struct pvb_cache_key {
    uint32_t magic, bytes;
    struct pvb_cache_id id;
    uint8_t sha256[32]; /* of the file's bytes: which entry */
    char path[3968];    /* where the file was; for people, and to tell that it is another one now */
};

struct pvb_cache_head {
    uint32_t magic, bytes;
    uint8_t file_sha256[32], elf_sha256[32];
    struct pvb_answer answer; /* the helper's */
    uint8_t head_sha256[32];  /* of all before it */
};
static_assert(sizeof(struct pvb_cache_key) <= 4096, "a key is one page");
static_assert(sizeof(struct pvb_cache_head) <= PVB_CACHE_BODY_OFF, "the ELF lies behind the head");

/* The names of a key and an entry. */
void pvb_cache_key_name(char name[PVB_CACHE_NAME_BYTES], const struct pvb_cache_id *id);
void pvb_cache_entry_name(char name[PVB_CACHE_NAME_BYTES], const uint8_t sha256[32]);

/* -LIMIT: the path is too long. */
int pvb_cache_key_make(struct pvb_cache_key *key, const struct pvb_cache_id *id, const uint8_t sha256[32],
                       const char *path, struct pvboot_error *e) PVB_CHECKED;
/* Is @key one at all, whatever it says?  -MALFORMED. */
int pvb_cache_key_check(const struct pvb_cache_key *key, struct pvboot_error *e) PVB_CHECKED;

/* All but the last field, which is for who can hash. */
void pvb_cache_head_make(struct pvb_cache_head *head, const struct pvboot_image *img, const uint8_t file_sha256[32],
                         const uint8_t elf_sha256[32]);

/* What an entry has to fit. */
struct pvb_cache_want {
    const uint8_t *sha256; /* of the kernel's file */
    uint64_t file_bytes;   /* its size */
    uint64_t entry_bytes;  /* the size of the entry */
    uint64_t unpacked_max;
};
/*
 * Is @head one of this pvboot's, of that file?  Its answer is checked as the helper's own is, whoever wrote it; then @img
 * is what it says.  -MALFORMED, -UNSUPPORTED: of another version; -SANDBOX as pvb_image_verify().
 */
int pvb_cache_head_check(struct pvboot_image *img, const struct pvb_cache_head *head, const struct pvb_cache_want *want,
                         struct pvboot_error *e) PVB_CHECKED;

/* Is there anything to unpack, and nothing around it?  Only of such kernels the cache keeps any. */
bool pvb_cache_worthy(const struct pvboot_image *img);

#endif
