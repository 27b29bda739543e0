/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A domain's kernel from its file to what is planned and loaded.  Where an entry needs what the file packs, only the
 * beginning is looked at until the guest has its memory; then all of it is unpacked there, where it fits by pages alone.
 */
#include "xl.h"

#include <stdio.h>

/* Each is said once, also of a kernel that the look at the configuration hands over to the build. */
void pvb_kernel_notes(struct pvb_kernel_file *w)
{
    if (w->missing[0] && !w->told)
        fprintf(stderr, "pvboot: note: the kernel's parser ran without: %s\n", w->missing);
    if (w->stale.code)
        fprintf(stderr, "pvboot: note: nothing from the cache: %s%s%s\n", w->stale.file, w->stale.file[0] ? ": " : "",
                w->stale.text);
    w->told |= w->missing[0] != 0;
    w->stale.code = 0;
}

static int parse(struct pvb_domain *d, bool look, struct pvboot_error *e)
{
    int rc;

    pvboot_kernel_dispose(&d->kernel.parsed);
    rc = pvb_kernel_file_parse(&d->kernel, &d->req, &d->paths, look, pvb_helper_path(), e);
    pvb_kernel_notes(&d->kernel);
    return rc;
}

bool pvb_kernel_may_place(const struct pvboot_request *req, const struct pvb_paths *paths)
{
    return req->sandbox != PVBOOT_SANDBOX_OFF && !paths->dump_dir;
}

/* Not again, if the look at the configuration was enough. */
int pvb_kernel_begin(struct pvb_domain *d, struct pvboot_error *e)
{
    const struct pvboot_kernel *k = &d->kernel.parsed;
    bool place = pvb_kernel_may_place(&d->req, &d->paths);
    int rc = k->file.p && d->kernel.sandbox == d->req.sandbox ? 0 : parse(d, place, e);

    if (rc || !pvb_kernel_file_lacks_elf(&d->kernel, &d->req) || (place && k->n_seen))
        return rc;
    return parse(d, false, e);
}

int pvb_kernel_complete(struct pvb_domain *d, struct pvboot_error *e)
{
    const struct pvboot_place place = { .domid = d->xen.domid, .map = &d->machine.map };
    struct pvboot_confine c = {
        .sandbox = d->req.sandbox, .helper = pvb_helper_path(), .limits = d->req.limits, .path = d->req.path
    };
    int rc = pvboot_kernel_place(&d->kernel.parsed, &d->kernel.file, &c, &place, e);

    memcpy(d->kernel.missing, c.missing, sizeof(c.missing));
    pvb_kernel_notes(&d->kernel);
    return rc == PVBOOT_NOT_PLACED ? parse(d, false, e) : rc;
}

/* Whole pages: beside a PT_LOAD's bytes lies what is beside them in the file. */
int pvb_kernel_move(struct pvb_domain *d, struct pvboot_guest *g, struct pvboot_error *e)
{
    const struct pvboot_elf *elf = &d->kernel.parsed.image.elf;
    int rc = 0;

    for (uint32_t i = 0; !rc && i < elf->n_loads; i++) {
        uint64_t start = elf->load[i].gpa & ~(PVB_PAGE - 1), end;

        end = (elf->load[i].gpa + elf->load[i].mem_bytes + PVB_PAGE - 1) & ~(PVB_PAGE - 1);
        rc = g->ops->zero(g, start, end - start, e);
    }
    return rc ? rc : parse(d, false, e);
}
