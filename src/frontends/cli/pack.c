/* SPDX-License-Identifier: LGPL-2.1-only */
/* `pack`: one file that any loader of PVH kernels starts. */
#include "../../builder/pack/pack.h"
#include "../../sandbox/sandbox.h"
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { OPT_RAMDISK = 256, OPT_CMDLINE, OPT_STUB, OPT_REQUEST };

static const struct option options[] = {
    { "ramdisk", required_argument, NULL, OPT_RAMDISK },
    { "cmdline", required_argument, NULL, OPT_CMDLINE },
    { "stub", required_argument, NULL, OPT_STUB },
    /* what the stub is told, and what concerns this program alone */
    { "entry", required_argument, NULL, OPT_REQUEST },
    { "subarch", required_argument, NULL, OPT_REQUEST },
    { "hypervisor", required_argument, NULL, OPT_REQUEST },
    { "strict", no_argument, NULL, OPT_REQUEST },
    { "force-subarch", no_argument, NULL, OPT_REQUEST },
    { "sandbox", required_argument, NULL, OPT_REQUEST },
    { "kernel-max", required_argument, NULL, OPT_REQUEST },
    { "unpacked-max", required_argument, NULL, OPT_REQUEST },
    { "ramdisk-max", required_argument, NULL, OPT_REQUEST },
    { 0 },
};

struct job {
    const char *out, *image;
    char stub_path[PATH_MAX + 32];
    uint32_t n_ramdisks;
    const char *ramdisk_path[PVBOOT_RAMDISKS_MAX];
    struct pvboot_request req;
    struct pvboot_file ramdisk[PVBOOT_RAMDISKS_MAX];
    struct pvboot_kernel stub, kernel;
    struct pvb_pack pack;
};

static int take_option(struct job *j, int opt, const char *name, struct pvboot_error *e)
{
    switch (opt) {
    case 'o':
        j->out = optarg;
        return 0;
    case OPT_CMDLINE:
        j->req.cmdline = optarg;
        return 0;
    case OPT_STUB:
        snprintf(j->stub_path, sizeof(j->stub_path), "%s", optarg);
        return 0;
    case OPT_RAMDISK:
        if (j->n_ramdisks == PVBOOT_RAMDISKS_MAX)
            return pvb_fail(e, PVBOOT_E_LIMIT, "more than %u ramdisks", PVBOOT_RAMDISKS_MAX);
        j->ramdisk_path[j->n_ramdisks++] = optarg;
        return 0;
    default:
        return cli_set_request(&j->req, name, optarg, e);
    }
}

static int take_options(struct job *j, int argc, char **argv, struct pvboot_error *e)
{
    const struct cli_args args = { argc, argv, ":o:", options, e };
    const char *name;
    int opt, rc = 0;

    while (!rc && (opt = cli_getopt(&args, &name)) != -1)
        rc = opt == CLI_REFUSED ? -PVBOOT_E_USAGE : take_option(j, opt, name, e);
    if (!rc)
        rc = cli_operand(&args, "kernel", &j->image);
    if (!rc && !j->out)
        rc = pvb_fail(e, PVBOOT_E_USAGE, "where to? -o IMAGE is missing");
    return rc;
}

/* Our own stub is as trustworthy as this program: no confined parser looks at it. */
static int read_inputs(struct job *j, struct pvboot_error *e)
{
    struct pvboot_confine as_needed = { 0 };
    int rc = pvboot_kernel_open(&j->stub, j->stub_path, e);

    if (!rc)
        rc = cli_kernel_open(&j->kernel, j->image, &j->req, &as_needed, e);
    if (!rc)
        rc = cli_read_ramdisks(j->ramdisk, &j->req, j->ramdisk_path, j->n_ramdisks, e);
    if (!rc)
        rc = pvb_in_file(e, j->image, pvboot_request_embedded(&j->req, &j->kernel, e));
    return rc;
}

static int fill(int fd, const struct pvb_pack *p, struct pvboot_error *e)
{
    for (uint32_t i = 0; i < p->n; i++) {
        struct pvboot_bytes b = p->piece[i].bytes;
        uint64_t off = p->piece[i].off;

        while (b.len) {
            ssize_t n = pwrite(fd, b.p, b.len, (off_t)off);

            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return pvb_fail_errno(e, PVBOOT_E_HOST, "write");
            b = pvboot_sub(b, (uint64_t)n, b.len - (size_t)n);
            off += (uint64_t)n;
        }
    }
    return ftruncate(fd, (off_t)p->bytes) ? pvb_fail_errno(e, PVBOOT_E_HOST, "ftruncate") : 0;
}

/* Under another name until it is whole. */
static int write_image(const struct pvb_pack *p, const char *path, struct pvboot_error *e)
{
    char part[PATH_MAX];
    int fd, rc;

    if ((size_t)snprintf(part, sizeof(part), "%s.part-%ld", path, (long)getpid()) >= sizeof(part))
        return pvb_fail(e, PVBOOT_E_HOST, "a name that is too long");
    fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return pvb_fail_errno(e, PVBOOT_E_HOST, "making it");
    rc = fill(fd, p, e);
    if (close(fd) && !rc)
        rc = pvb_fail_errno(e, PVBOOT_E_HOST, "close");
    if (!rc && rename(part, path))
        rc = pvb_fail_errno(e, PVBOOT_E_HOST, "rename");
    if (rc)
        unlink(part);
    return rc;
}

int cli_pack(int argc, char **argv, struct pvboot_error *e)
{
    static struct job j;
    char self[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    int rc;

    self[n > 0 ? n : 0] = 0;
    pvb_data(self, "pvboot-stub.elf", j.stub_path, sizeof(j.stub_path));
    pvboot_request_init(&j.req);
    rc = cli_sandbox_default(&j.req, e);
    if (!rc)
        rc = take_options(&j, argc, argv, e);
    if (!rc)
        rc = read_inputs(&j, e);
    if (!rc)
        rc = pvb_in_file(
            e, j.image,
            pvb_pack_make(&j.pack, &(struct pvb_pack_input){ .stub = &j.stub, .kernel = &j.kernel, .req = &j.req }, e));
    if (!rc)
        rc = pvb_in_file(e, j.out, write_image(&j.pack, j.out, e));
    for (size_t i = 0; i < PVBOOT_RAMDISKS_MAX; i++)
        pvboot_file_dispose(&j.ramdisk[i]);
    pvboot_kernel_dispose(&j.kernel);
    pvboot_kernel_dispose(&j.stub);
    return rc;
}
