/* SPDX-License-Identifier: LGPL-2.1-only */
#include "entry.h"

#include <stdio.h>

void pvb_cache_key_name(char name[PVB_CACHE_NAME_BYTES], const struct pvb_cache_id *id)
{
    snprintf(name, PVB_CACHE_NAME_BYTES, "%llx-%llx.key", (unsigned long long)id->device,
             (unsigned long long)id->inode);
}

void pvb_cache_entry_name(char name[PVB_CACHE_NAME_BYTES], const uint8_t sha256[32])
{
    for (size_t i = 0; i < 32; i++)
        snprintf(name + 2 * i, 3, "%02x", sha256[i]);
    strcpy(name + 64, ".elf");
}

int pvb_cache_key_make(struct pvb_cache_key *key, const struct pvb_cache_id *id, const uint8_t sha256[32],
                       const char *path, struct pvboot_error *e)
{
    *key = (struct pvb_cache_key){ .magic = PVB_CACHE_KEY_MAGIC, .bytes = sizeof(*key), .id = *id };
    if (strlen(path) >= sizeof(key->path))
        return pvb_fail(e, PVBOOT_E_LIMIT, "a path of %zu bytes, the cache's limit is %zu", strlen(path),
                        sizeof(key->path) - 1);
    memcpy(key->sha256, sha256, sizeof(key->sha256));
    strcpy(key->path, path);
    return 0;
}

int pvb_cache_key_check(const struct pvb_cache_key *key, struct pvboot_error *e)
{
    if (key->magic != PVB_CACHE_KEY_MAGIC || key->bytes != sizeof(*key))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "not a key of this pvboot's: 0x%08x, %u bytes", key->magic, key->bytes);
    if (key->path[0] != '/' || strnlen(key->path, sizeof(key->path)) == sizeof(key->path))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "its path is none");
    return 0;
}

void pvb_cache_head_make(struct pvb_cache_head *head, const struct pvboot_image *img, const uint8_t file_sha256[32],
                         const uint8_t elf_sha256[32])
{
    struct pvb_answer *a = &head->answer;

    memset(head, 0, sizeof(*head));
    head->magic = PVB_CACHE_HEAD_MAGIC;
    head->bytes = sizeof(*head);
    memcpy(head->file_sha256, file_sha256, sizeof(head->file_sha256));
    memcpy(head->elf_sha256, elf_sha256, sizeof(head->elf_sha256));
    a->magic = PVB_ANSWER_MAGIC;
    a->bytes = sizeof(*a);
    snprintf(a->version, sizeof(a->version), "%s", PVBOOT_VERSION);
    a->step = PVB_STEP_DONE;
    a->image = *img;
}

bool pvb_cache_worthy(const struct pvboot_image *img)
{
    return img->has_bzimage && img->wrapper.kind == PVBOOT_WRAPPER_NONE && img->bz.codec != PVBOOT_CODEC_NONE;
}

int pvb_cache_head_check(struct pvboot_image *img, const struct pvb_cache_head *head, const struct pvb_cache_want *want,
                         struct pvboot_error *e)
{
    const struct pvb_answer *a = &head->answer;
    int rc;

    if (head->magic != PVB_CACHE_HEAD_MAGIC)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "not an entry: it begins with 0x%08x", head->magic);
    if (head->bytes != sizeof(*head) || a->magic != PVB_ANSWER_MAGIC || a->bytes != sizeof(*a) ||
        strncmp(a->version, PVBOOT_VERSION, sizeof(a->version)))
        return pvb_fail(e, PVBOOT_E_UNSUPPORTED, "made by pvboot %.*s, this is %s: add it again",
                        (int)sizeof(a->version), a->version, PVBOOT_VERSION);
    if (memcmp(head->file_sha256, want->sha256, sizeof(head->file_sha256)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "the entry of another kernel");
    rc = pvb_answer_verify(a, true, e);
    if (!rc)
        rc = pvb_image_verify(img, &a->image, want->file_bytes, want->unpacked_max, e);
    if (rc)
        return rc;
    if (a->step != PVB_STEP_DONE || !img->has_elf || !pvb_cache_worthy(img))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "an answer without an unpacked ELF");
    if (want->entry_bytes != PVB_CACHE_BODY_OFF + img->bz.unpacked_bytes)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "%llu bytes, with an ELF of %llu behind %u",
                        (unsigned long long)want->entry_bytes, (unsigned long long)img->bz.unpacked_bytes,
                        PVB_CACHE_BODY_OFF);
    return 0;
}
