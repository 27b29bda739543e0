/* SPDX-License-Identifier: LGPL-2.1-only */
#include "plan_harm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

struct pvboot_plan victim;
struct pvboot_image kernel;

struct pvboot_segment *seg(enum pvboot_segment_id id)
{
    return &victim.seg[id];
}

void move(enum pvboot_segment_id id, uint64_t start)
{
    uint64_t bytes = seg(id)->end - seg(id)->start;

    seg(id)->start = start;
    seg(id)->end = start + bytes;
}

void plan_afresh(enum pvboot_path path)
{
    bool pv = path == PVBOOT_PATH_PV;
    struct pvboot_machine m = pv ? fixture_pv_machine(GIB) : fixture_machine(5 * GIB);
    struct pvboot_request req = fixture_request(path, "console=hvc0", 100000);
    struct pvboot_error e = { 0 };

    kernel = pv ? fixture_pv() : fixture_amd64();
    if (path == LINUX32)
        kernel.bz.xloadflags = 0; /* initrd_addr_max counts */
    if (pvboot_plan_make(&victim, &kernel, &m, &req, &e) || pvboot_plan_check(&victim, &kernel, &e))
        fail_msg("%s: %s", pvboot_path_name(path), e.text);
}

void assert_caught(const struct harm *h)
{
    struct pvboot_error e = { 0 };
    int rc;

    if (!can_plan(h->path))
        return;
    plan_afresh(h->path);
    h->harm();
    rc = pvboot_plan_check(&victim, &kernel, &e);
    if (rc != -PVBOOT_E_INTERNAL || e.code != PVBOOT_E_INTERNAL || !strstr(e.text, h->rule))
        fail_msg("rc %d, '%s', should be '%s'", rc, e.text, h->rule);
}
