/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Is every byte of an entry what it was, and is it what the kernel unpacks to?  The digests in it tell of an accident; of
 * somebody who could write them as well only the kernel itself does.
 */
#include "../builder/load/load.h"
#include "inner.h"

static int digests(const struct pvb_cache_entry *entry, struct pvboot_error *e)
{
    const struct pvboot_source from = { .get = pvb_cache_get, .fd = entry->fd };
    uint8_t head[32], elf[32];
    int rc = pvb_cache_digest_head(&entry->head, head, e);

    if (!rc)
        rc = pvb_cache_digest(&from, PVB_CACHE_BODY_OFF, entry->image.bz.unpacked_bytes, elf, e);
    if (rc)
        return rc;
    if (memcmp(head, entry->head.head_sha256, sizeof(head)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "its head is not what it was");
    if (memcmp(elf, entry->head.elf_sha256, sizeof(elf)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "its ELF is not what it was");
    return 0;
}

static int compare(const struct pvb_cache_entry *entry, const struct pvboot_kernel *k, const uint8_t packed[32],
                   struct pvboot_error *e)
{
    uint8_t elf[32];
    int rc;

    if (memcmp(packed, entry->head.file_sha256, sizeof(entry->head.file_sha256)))
        return pvb_fail(e, PVBOOT_E_MALFORMED, "not of this kernel: its file has another SHA-256");
    if (memcmp(&k->image, &entry->image, sizeof(k->image)) || !k->elf_from.get)
        return pvb_fail(e, PVBOOT_E_MALFORMED, "its head is not what the parser says of the kernel");
    rc = pvb_cache_digest(&k->elf_from, k->elf_off, k->image.bz.unpacked_bytes, elf, e);
    if (!rc && memcmp(elf, entry->head.elf_sha256, sizeof(elf)))
        rc = pvb_fail(e, PVBOOT_E_MALFORMED, "its ELF is not what the kernel unpacks to");
    return rc;
}

/* Of a kernel that can be unpacked no longer nothing is told. */
static int unpack_again(const struct pvb_cache_job *job, const struct pvb_cache_key *key,
                        const struct pvb_cache_entry *entry, struct pvboot_error *e)
{
    struct pvboot_confine c = { .helper = job->helper, .limits = job->limits, .path = PVBOOT_PATH_VMLINUX64 };
    struct pvboot_kernel k = { 0 };
    struct pvb_hash hash = { 0 };
    struct pvboot_file f;
    uint8_t packed[32];
    int rc = pvboot_file_read(&f, key->path, pvboot_limit(job->limits.kernel, PVBOOT_KERNEL_MAX), e);

    if (rc)
        return rc;
    rc = pvb_hash_open(&hash, e);
    if (!rc) {
        pvb_hash_more(&hash, f.bytes);
        pvb_hash_close(&hash, packed);
        rc = pvboot_kernel_confine(&k, &f, &c, e);
    }
    if (!rc)
        rc = compare(entry, &k, packed, e);
    pvboot_kernel_dispose(&k);
    pvboot_file_dispose(&f);
    return rc;
}

int pvb_cache_audit(const struct pvb_cache_job *job, const struct pvb_cache_key *key,
                    const struct pvb_cache_entry *entry, bool fresh, bool *again, struct pvboot_error *e)
{
    int rc = digests(entry, e);

    if (!rc && fresh)
        rc = unpack_again(job, key, entry, e);
    *again = !rc && fresh;
    return rc;
}
