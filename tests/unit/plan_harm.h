/* SPDX-License-Identifier: LGPL-2.1-only */
/* A plan under the knife: made afresh, harmed, and the check must say which rule was broken. */
#ifndef PLAN_HARM_H
#define PLAN_HARM_H

#include "plan_fixture.h"

#define LINUX64 PVBOOT_PATH_LINUX64
#define LINUX32 PVBOOT_PATH_LINUX32
#define VMLINUX PVBOOT_PATH_VMLINUX64
#define PVH PVBOOT_PATH_PVH

extern struct pvboot_plan victim;
extern struct pvboot_image kernel; /* of the victim */

struct harm {
    enum pvboot_path path; /* of the plan to harm */
    void (*harm)(void);
    const char *rule; /* part of the sentence */
};

struct pvboot_segment *seg(enum pvboot_segment_id id);
void move(enum pvboot_segment_id id, uint64_t start);

/* Debian's 6.1 amd64 with 5 GiB, so that there is RAM to be wrong in on both sides of 4 GiB, and 100000 bytes of ramdisk. */
void plan_afresh(enum pvboot_path path);
void assert_caught(const struct harm *h);

#endif
