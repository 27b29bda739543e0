/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * On request, what the tests show the parser and how it judges it, as files: $PVBOOT_KEEP/PROGRAM-NUMBER-CALL-CODE
 * and, beside each, .says.  The tests hold both to what they expect; tests/confine/test_rows.py holds to both what is
 * installed.  Linked with --wrap, so that no test needs to know.
 */
#include <errno.h>
#include <pvboot/image.h>
#include <stdio.h>
#include <stdlib.h>

int __wrap_pvboot_kernel_parse(struct pvboot_kernel *k, struct pvboot_bytes file, struct pvboot_error *e);
int __real_pvboot_kernel_parse(struct pvboot_kernel *k, struct pvboot_bytes file, struct pvboot_error *e);
int __wrap_pvboot_kernel_unpack(struct pvboot_kernel *k, struct pvboot_error *e);
int __real_pvboot_kernel_unpack(struct pvboot_kernel *k, struct pvboot_error *e);

static void put(const char *name, struct pvboot_bytes what)
{
    FILE *f = fopen(name, "wx");

    if (!f || fwrite(what.p, 1, what.len, f) != what.len || fclose(f)) {
        perror(name);
        exit(1);
    }
}

static void keep(struct pvboot_bytes image, const char *call, int rc, const struct pvboot_error *e)
{
    static unsigned number;
    const char *dir = getenv("PVBOOT_KEEP");
    char name[4096];

    if (!dir)
        return;
    snprintf(name, sizeof(name), "%s/%s-%u-%s-%d", dir, program_invocation_short_name, ++number, call, -rc);
    put(name, image);
    strcat(name, ".says");
    put(name, (struct pvboot_bytes){ (const uint8_t *)e->text, rc ? strlen(e->text) : 0 });
}

int __wrap_pvboot_kernel_parse(struct pvboot_kernel *k, struct pvboot_bytes file, struct pvboot_error *e)
{
    int rc = __real_pvboot_kernel_parse(k, file, e);

    keep(file, "parse", rc, e);
    return rc;
}

int __wrap_pvboot_kernel_unpack(struct pvboot_kernel *k, struct pvboot_error *e)
{
    struct pvboot_bytes file = k->file;
    int rc = __real_pvboot_kernel_unpack(k, e);

    keep(file, "unpack", rc, e);
    return rc;
}
