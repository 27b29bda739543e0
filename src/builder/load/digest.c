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

static void sha256(struct pvboot_bytes b, uint8_t digest[SHA256_BYTES])
{
    ready();
    gcry_md_hash_buffer(GCRY_MD_SHA256, digest, b.p ? (const void *)b.p : "", b.len);
}

void pvb_sha256_hex(struct pvboot_bytes b, char hex[65])
{
    uint8_t digest[SHA256_BYTES];

    sha256(b, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* The ramdisks as they will lie in the guest: joined, each at a multiple of 4. */
static int sha256_ramdisks(struct pvboot_request *req, struct pvboot_error *e)
{
    gcry_md_hd_t md;
    uint64_t at = 0;

    if (gcry_md_open(&md, GCRY_MD_SHA256, 0))
        return pvb_fail(e, PVBOOT_E_HOST, "libgcrypt does not give SHA-256");
    for (uint32_t i = 0; i < req->n_ramdisks; i++) {
        gcry_md_write(md, "\0\0\0", (size_t)(-at & 3));
        gcry_md_write(md, req->ramdisk[i].p, req->ramdisk[i].len);
        at = ((at + 3) & ~3ull) + req->ramdisk[i].len;
    }
    memcpy(req->digests.ramdisk, gcry_md_read(md, GCRY_MD_SHA256), SHA256_BYTES);
    gcry_md_close(md);
    return 0;
}

int pvboot_request_digest(struct pvboot_request *req, const struct pvboot_kernel *kernel, struct pvboot_error *e)
{
    const char *cmdline = req->cmdline ? req->cmdline : "";
    int rc;

    if (req->hypervisor == PVBOOT_HYPERVISOR_NONE || pvb_is_pvh(req->path))
        return 0;
    rc = pvb_digest_ready(e);
    if (!rc)
        rc = sha256_ramdisks(req, e);
    if (rc)
        return rc;
    sha256(kernel->whole.len ? kernel->whole : kernel->file, req->digests.kernel);
    sha256((struct pvboot_bytes){ (const uint8_t *)cmdline, strlen(cmdline) }, req->digests.cmdline);
    req->digests.present = true;
    return 0;
}
