/* SPDX-License-Identifier: LGPL-2.1-only */
#include "../../builder/image/image.h"
#include "parse.h"

#include <stdio.h>
#include <unistd.h>

static int parse(struct pvb_handoff *x, struct pvboot_kernel *k, struct pvboot_error *e)
{
    const struct pvb_output out = {
        .p = x->output, .len = x->output_bytes, .window = PVB_OUTPUT_WINDOW, .put = pvb_output_put
    };
    enum pvb_step step = PVB_STEP_PARSE;
    int rc = pvb_kernel_read(k, x->file, x->output_bytes, &out, e);

    if (!rc && !k->image.has_elf && (x->unpack_always || pvboot_image_needs_elf(&k->image, x->path))) {
        step = PVB_STEP_UNPACK;
        rc = pvb_kernel_unpack(k, out, e);
    }
    x->answer.image = k->image;
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
    if (pvb_jail(&x, PVB_LAYERS_ALL, &e))
        pvb_handoff_fail(&x, PVB_STEP_CONFINE, &e);
    else if (!parse(&x, &k, &e))
        x.answer.step = PVB_STEP_DONE;
    pvb_handoff_answer(&x);
}
