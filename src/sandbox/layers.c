/* SPDX-License-Identifier: LGPL-2.1-only */
#include "answer.h"

const char *pvb_errand_name(enum pvb_errand errand)
{
    static const char *const name[PVB_ERRANDS] = {
        [PVB_UNPACK] = "unpack", [PVB_LOOK] = "look", [PVB_PLACE] = "place"
    };

    return (unsigned)errand < PVB_ERRANDS ? name[errand] : "unknown";
}

const char *pvb_layer_name(enum pvb_layer layer)
{
    static const char *const name[PVB_LAYERS] = {
        [PVB_LAYER_DESCRIPTORS] = "descriptors",
        [PVB_LAYER_LIMITS] = "limits",
        [PVB_LAYER_USER] = "user",
        [PVB_LAYER_DEATH_SIGNAL] = "death signal",
        [PVB_LAYER_UNDUMPABLE] = "undumpable",
        [PVB_LAYER_NO_NEW_PRIVS] = "no_new_privs",
        [PVB_LAYER_LANDLOCK] = "landlock",
        [PVB_LAYER_NO_DESCRIPTORS] = "no descriptors",
        [PVB_LAYER_SECCOMP] = "seccomp",
    };

    return (unsigned)layer < PVB_LAYERS ? name[layer] : "unknown";
}
