/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../../builder/image/image.h"
#include "parse.h"

#include <stdio.h>
#include <unistd.h>

static int parse(struct pvb_handoff *x, struct pvboot_kernel *k, struct pvboot_error *e)
{
    const struct pvb_output memory = {
        .p = x->output, .len = x->output_bytes, .window = PVB_OUTPUT_WINDOW, .put = pvb_output_put
    };
    const struct pvb_output guest = { .p = x->output, .len = x->output_bytes, .ready = true };
    const struct pvb_output *out = x->errand == PVB_PLACE ? &guest : &memory;
    enum pvb_step step = PVB_STEP_PARSE;
    int rc = pvb_kernel_read(k, x->file, x->output_bytes, out, e);
    bool wanted = !rc && !k->image.has_elf && (x->unpack_always || pvboot_image_needs_elf(&k->image, x->path));

    if (wanted && x->errand != PVB_LOOK) {
        step = PVB_STEP_UNPACK;
        rc = pvb_kernel_unpack(k, *out, e);
    }
    x->answer.image = k->image;
    x->answer.looked = wanted && x->errand == PVB_LOOK && pvb_kernel_look(k, &x->answer.image.elf);
    if (rc)
        pvb_handoff_fail(x, step, e);
    return rc;
}

int main(int argc, char **argv)
{
    static struct pvb_handoff x;
    struct pvboot_kernel k = { 0 };
    struct pvboot_error e = { 0 };

    if (pvb_handoff_take(&x, argc, argv)) {
        fprintf(stderr, "pvboot-parse is started by pvboot and by its xl plugin, not by hand.\n");
        return PVBOOT_E_USAGE;
    }
    if (x.unmapped) {
        (void)pvb_fail(&e, PVBOOT_E_XEN, "%s", x.unmapped);
        pvb_handoff_fail(&x, PVB_STEP_MAP, &e);
    } else if (pvb_jail(&x, PVB_LAYERS_ALL, &e))
        pvb_handoff_fail(&x, PVB_STEP_CONFINE, &e);
    else if (!parse(&x, &k, &e))
        x.answer.step = PVB_STEP_DONE;
    pvb_handoff_answer(&x);
}
