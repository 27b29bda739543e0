/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pvboot-parse: parses one kernel and can do nothing else.  It is started by the library (confine.h) with three
 * descriptors and that of its program, and says what it has to say in one answer (answer.h).
 */
#ifndef PVB_PARSE_FRONTEND_H
#define PVB_PARSE_FRONTEND_H

#include "../../sandbox/answer.h"

#include <sys/types.h>

/* What it was sent for, and what it brings back. */
struct pvb_handoff {
    bool strict;
    enum pvboot_path path;
    bool unpack_always; /* unpack whatever the path */
    enum pvb_errand errand;
    pid_t caller;
    uid_t uid; /* whom it becomes, if it is root's */
    gid_t gid;
    struct pvboot_bytes file;
    uint8_t *output;
    size_t output_bytes;  /* the most a payload may unpack to */
    size_t private_bytes; /* of @output, where a guest's frames are mapped: what is no guest's */
    const char *unmapped; /* why they could not be */
    struct pvb_answer answer;
};

/*
 * handoff.c: arguments and descriptors, of which the answer's stays open, and the output's where that is memory.  0, or
 * -1: not started as it should be.
 */
int pvb_handoff_take(struct pvb_handoff *x, int argc, char **argv);
/* Put @e and how far it came into the answer. */
void pvb_handoff_fail(struct pvb_handoff *x, enum pvb_step step, const struct pvboot_error *e);
/* Send the answer and end. */
_Noreturn void pvb_handoff_answer(const struct pvb_handoff *x);

/*
 * guest_xen.c: put @f's frames where they belong in @output, which is memory of its own.  No descriptor, and no right but to
 * these pages, is left of it.  NULL, or what could not be done; guest_none.c, where Xen's libraries are not: cannot.
 */
const char *pvb_map_frames(uint8_t *output, const struct pvb_frames *f);

/* output.c: copy @n bytes to @at in the output, where nothing has been written yet.  -HOST. */
#define PVB_OUTPUT_WINDOW (256u << 10)
int pvb_output_put(uint64_t at, const void *bytes, size_t n, struct pvboot_error *e);

/*
 * jail.c: put @layers on, a bit each, for good.  In strict mode one that cannot be put on is -SANDBOX, otherwise it
 * is noted in the answer.
 */
int pvb_jail(struct pvb_handoff *x, uint32_t layers, struct pvboot_error *e) PVB_CHECKED;

/* A layer: 0, or errno. */
typedef int pvb_layer_enter(const struct pvb_handoff *x);
pvb_layer_enter pvb_landlock; /* landlock.c */
pvb_layer_enter pvb_seccomp;  /* seccomp.c */

#endif
