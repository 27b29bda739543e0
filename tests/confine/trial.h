/* SPDX-License-Identifier: LGPL-2.1-only */
/* The attacking helper, run as the library runs the real one. */
#ifndef TRIAL_H
#define TRIAL_H

#include "../../src/sandbox/sandbox.h"
#include "attack.h"

extern const char *trial_helper;

/* A sealed file that orders @attack, with @layers on. */
int trial_order(struct pvboot_file *f, const char *attack, uint32_t layers, struct pvboot_error *e);
/* One run of it; @missing, 128 bytes, gets the layers it did without; NULL: not asked. */
int trial(const char *attack, uint32_t layers, enum pvboot_sandbox sandbox, char *missing, struct pvboot_error *e);

/* All layers on, and insisted on. */
static inline int trial_strict(const char *attack, struct pvboot_error *e)
{
    *e = (struct pvboot_error){ 0 };
    return trial(attack, PVB_LAYERS_ALL, PVBOOT_SANDBOX_STRICT, NULL, e);
}

#endif
