/* SPDX-License-Identifier: LGPL-2.1-only */
/* What pvboot-parse and its caller agree on. */
#ifndef PVB_ANSWER_H
#define PVB_ANSWER_H

#include "../builder/base/base.h"

#include <assert.h>
#include <pvboot/confine.h>

/* The helper's descriptors. */
enum { PVB_FD_FILE, PVB_FD_OUTPUT, PVB_FD_ANSWER, PVB_FDS };

/*
 * Its arguments: pvboot-parse strict|best PATH|elf unpack|look|place PID-OF-CALLER UID GID, the last two of whom it becomes
 * if it is root's.
 */
#define PVB_ARG_ELF "elf" /* unpack whatever the path */
#define PVB_ARGS 7

enum pvb_errand {
    PVB_UNPACK, /* what the path needs, to PVB_FD_OUTPUT, which is memory */
    PVB_LOOK,   /* unpack no more of a payload than tells its PT_LOADs */
    PVB_PLACE,  /* unpack to a guest's frames, which can be read from PVB_FD_OUTPUT; PVB_FD_FILE may be under a lease */
    PVB_ERRANDS,
};
const char *pvb_errand_name(enum pvb_errand errand);

/*
 * Where in what is unpacked the guest's frames belong: whole pages, ascending in ->off, of neither side one twice.  What is
 * between them nobody sees.  Of one size, written at once.
 */
struct pvb_frames {
    uint32_t domid, n;
    uint64_t bytes; /* of all that is unpacked */
    struct pvb_frame_row {
        uint64_t off, gpa, bytes;
    } row[PVBOOT_LOADS_MAX];
};
/* NULL, or what is wrong with them. */
const char *pvb_frames_wrong(const struct pvb_frames *f);

/* What confines it, in the order in which it is put on. */
enum pvb_layer {
    PVB_LAYER_DESCRIPTORS,
    PVB_LAYER_LIMITS,
    PVB_LAYER_USER,
    PVB_LAYER_DEATH_SIGNAL,
    PVB_LAYER_UNDUMPABLE,
    PVB_LAYER_NO_NEW_PRIVS,
    PVB_LAYER_LANDLOCK,
    PVB_LAYER_NO_DESCRIPTORS,
    PVB_LAYER_SECCOMP,
    PVB_LAYERS,
};
#define PVB_LAYERS_ALL ((1u << PVB_LAYERS) - 1)
const char *pvb_layer_name(enum pvb_layer layer);

/* How far the helper came before @code, or to the end.  It maps a guest's frames before it is confined, or cannot. */
enum pvb_step { PVB_STEP_CONFINE, PVB_STEP_PARSE, PVB_STEP_UNPACK, PVB_STEP_DONE, PVB_STEP_MAP };

/* Of one size, written at once.  To the caller every byte of it is a claim. */
struct pvb_answer {
    uint32_t magic, bytes;
    char version[16]; /* the helper's */
    uint32_t step;    /* enum pvb_step */
    int32_t code;     /* enum pvboot_class; 0: all well */
    uint32_t missing; /* layers it did without, a bit each */
    uint32_t looked;  /* 1: ->image has no ELF, but ->image.elf the PT_LOADs of the one that is packed */
    char text[320];
    struct pvboot_image image;
};
#define PVB_ANSWER_MAGIC 0x61427650u /* PvBa */
static_assert(sizeof(struct pvb_answer) <= 8192, "the answer fits into any pipe");

#endif
