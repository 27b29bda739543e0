/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is unpacked a window at a time.  The output is made of zeroes, which take no memory until they are written: half
 * of a kernel can stay like that.
 */
#include "parse.h"

#include <unistd.h>

/* How many bytes from @p on are in pages of zeroes, or in pages that are not. */
static size_t alike(const uint8_t *p, size_t n, bool zero)
{
    size_t at = 0, page;

    for (; at < n; at += page) {
        page = n - at < PVB_PAGE ? n - at : PVB_PAGE;
        if ((!p[at] && !memcmp(p + at, p + at + 1, page - 1)) != zero)
            break;
    }
    return at;
}

static int write_all(uint64_t at, const uint8_t *p, size_t n, struct pvboot_error *e)
{
    while (n) {
        ssize_t written = pwrite(PVB_FD_OUTPUT, p, n, (off_t)at);

        if (written <= 0)
            return pvb_fail_errno(e, PVBOOT_E_HOST, "no memory for what is unpacked");
        at += (size_t)written;
        p += written;
        n -= (size_t)written;
    }
    return 0;
}

int pvb_output_put(uint64_t at, const void *bytes, size_t n, struct pvboot_error *e)
{
    const uint8_t *p = bytes;
    size_t done = 0, some;
    int rc = 0;

    for (bool zero = true; !rc && done < n; zero = !zero, done += some) {
        some = alike(p + done, n - done, zero);
        if (!zero)
            rc = write_all(at + done, p + done, some, e);
    }
    return rc;
}
