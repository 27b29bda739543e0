/* SPDX-License-Identifier: LGPL-2.1-only */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <gcrypt.h>
#include <stdio.h>
#include <unistd.h>

#define SHA256_BYTES 32u

#define FIPS_FILE "/proc/sys/crypto/fips_enabled"

/* libgcrypt wants to be told once per process that nothing else will be configured. */
static void ready(void)
{
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
        return;
    gcry_check_version(NULL);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

/* If libgcrypt cannot open this file although it may be there, it aborts the process: an xl with half a domain. */
int pvb_digest_ready(struct pvboot_error *e)
{
    int fd;

    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P))
        return 0;
    fd = open(FIPS_FILE, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    else if (errno != ENOENT && errno != EACCES)
        return pvb_fail(e, PVBOOT_E_HOST, "no digests: libgcrypt needs " FIPS_FILE ": %s", strerror(errno));
    ready();
    return 0;
}

void pvb_sha256_hex(struct pvboot_bytes b, char hex[65])
{
    uint8_t digest[SHA256_BYTES];

    ready();
    gcry_md_hash_buffer(GCRY_MD_SHA256, digest, b.p ? (const void *)b.p : "", b.len);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int pvb_hash_open(struct pvb_hash *h, struct pvboot_error *e)
{
    gcry_md_hd_t md;
    int rc = pvb_digest_ready(e);

    if (rc)
        return rc;
    if (gcry_md_open(&md, GCRY_MD_SHA256, 0))
        return pvb_fail(e, PVBOOT_E_HOST, "libgcrypt does not give SHA-256");
    h->md = md;
    return 0;
}

void pvb_hash_more(struct pvb_hash *h, struct pvboot_bytes b)
{
    if (h->md && b.len)
        gcry_md_write((gcry_md_hd_t)h->md, b.p, b.len);
}

void pvb_hash_close(struct pvb_hash *h, uint8_t digest[SHA256_BYTES])
{
    if (h->md && digest)
        memcpy(digest, gcry_md_read((gcry_md_hd_t)h->md, GCRY_MD_SHA256), SHA256_BYTES);
    gcry_md_close((gcry_md_hd_t)h->md);
    h->md = NULL;
}
