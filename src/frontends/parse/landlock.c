/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An empty Landlock ruleset: every right this kernel can take away, with no exception.
 * Spec: Linux Documentation/userspace-api/landlock.rst; no library wraps it, and headers may be older than the kernel.
 */
#include "parse.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VERSION_QUERY 1u /* LANDLOCK_CREATE_RULESET_VERSION */

/* struct landlock_ruleset_attr, which grows by a field at a time. */
struct rights {
    uint64_t fs, net, scope;
};

/* What there is to take away since which version of the interface; rights are numbered without gaps. */
static const struct {
    int since;
    unsigned fs, net, scope; /* how many */
    size_t bytes;
} versions[] = {
    { 1, 13, 0, 0, 8 },  /* execute to make_sym */
    { 2, 14, 0, 0, 8 },  /* refer */
    { 3, 15, 0, 0, 8 },  /* truncate */
    { 4, 15, 2, 0, 16 }, /* TCP bind and connect */
    { 5, 16, 2, 0, 16 }, /* ioctl on devices */
    { 6, 16, 2, 2, 24 }, /* abstract UNIX sockets, signals */
};

int pvb_landlock(const struct pvb_handoff *x)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_QUERY), fd;
    struct rights r = { 0 };
    size_t bytes = 0;
    int err = 0;

    (void)x;
    if (version < 1)
        return version < 0 ? errno : ENOSYS;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]) && versions[i].since <= version; i++) {
        r = (struct rights){ (1u << versions[i].fs) - 1, (1u << versions[i].net) - 1, (1u << versions[i].scope) - 1 };
        bytes = versions[i].bytes;
    }
    fd = syscall(SYS_landlock_create_ruleset, &r, bytes, 0);
    if (fd < 0)
        return errno;
    if (syscall(SYS_landlock_restrict_self, fd, 0))
        err = errno;
    close((int)fd);
    return err;
}
