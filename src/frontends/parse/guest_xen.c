/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A guest's frames in this process, by libxenforeignmemory: done before the confinement and before the first look at the
 * kernel.  Pages stay mapped without the descriptor that mapped them, and with it goes every way to others.
 */
#include "parse.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>
#include <xentoollog.h>

/* The library's own logger writes to standard error, and that descriptor takes the answer and nothing else. */
static void say_nothing(xentoollog_logger *l, xentoollog_level level, int err, const char *context, const char *format,
                        va_list al)
{
    (void)l;
    (void)level;
    (void)err;
    (void)context;
    (void)format;
    (void)al;
}

static void keep(xentoollog_logger *l)
{
    (void)l;
}

static xentoollog_logger silent = { .vmessage = say_nothing, .destroy = keep };

static const char *map_row(xenforeignmemory_handle *x, uint8_t *output, uint32_t domid, const struct pvb_frame_row *r)
{
    size_t n = (size_t)(r->bytes / PVB_PAGE);
    xen_pfn_t *gfn = calloc(n, sizeof(*gfn));
    void *p;

    if (!gfn)
        return "no memory for a list of frames";
    for (size_t i = 0; i < n; i++)
        gfn[i] = r->gpa / PVB_PAGE + i;
    p = xenforeignmemory_map2(x, domid, output + r->off, PROT_READ | PROT_WRITE, MAP_FIXED, n, gfn, NULL);
    free(gfn);
    return p == output + r->off ? NULL : "Xen does not give the guest's frames";
}

const char *pvb_map_frames(uint8_t *output, const struct pvb_frames *f)
{
    xenforeignmemory_handle *x = xenforeignmemory_open(&silent, 0);
    const char *failed = NULL;

    if (!x)
        return "no foreign memory device";
    if (xenforeignmemory_restrict(x, (domid_t)f->domid))
        failed = "the foreign memory device is not restricted to one domain";
    for (uint32_t i = 0; !failed && i < f->n; i++)
        failed = map_row(x, output, f->domid, &f->row[i]);
    if (xenforeignmemory_close(x) && !failed)
        failed = "closing the foreign memory device";
    return failed;
}
