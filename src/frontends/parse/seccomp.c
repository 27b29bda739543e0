/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The system calls that are left: memory for the decoders, what they unpack, one answer, the end.  Everything else, any
 * other architecture's numbers included, kills the process.
 */
#include "parse.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>

#define ARGS 2
#define IS(arg, value) PVB_ROW(arg, SCMP_CMP_EQ, (value), 0)

/*
 * @frames: a guest's are mapped.  Then nothing is written to a descriptor, and no mapping taken apart or moved: Linux'
 * privcmd driver, where dom0 is no PV domain, gives the pages of one back once for each part.
 */
static int add_rules(scmp_filter_ctx f, bool frames)
{
    const struct {
        int call;
        bool beside_frames;
        unsigned n;
        struct scmp_arg_cmp arg[ARGS];
    } allow[] = {
        { SCMP_SYS(exit_group), true, 0, { { 0 } } },
        { SCMP_SYS(write), true, 1, { IS(0, PVB_FD_ANSWER) } },
        { SCMP_SYS(pwrite64), false, 1, { IS(0, PVB_FD_OUTPUT) } },
        { SCMP_SYS(brk), true, 0, { { 0 } } },
        { SCMP_SYS(munmap), false, 0, { { 0 } } },
        { SCMP_SYS(mmap), true, 2, { IS(2, PROT_READ | PROT_WRITE), IS(3, MAP_PRIVATE | MAP_ANONYMOUS) } },
        { SCMP_SYS(mremap), false, 1, { IS(3, MREMAP_MAYMOVE) } },
        { SCMP_SYS(madvise), true, 1, { IS(2, MADV_DONTNEED) } },
        { SCMP_SYS(madvise), true, 1, { IS(2, MADV_POPULATE_WRITE) } },
    };
    int err = 0;

    for (size_t i = 0; !err && i < sizeof(allow) / sizeof(allow[0]); i++)
        if (allow[i].beside_frames || !frames)
            err = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, allow[i].call, allow[i].n, allow[i].arg);
    return err;
}

int pvb_seccomp(const struct pvb_handoff *x)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int err;

    if (!f)
        return ENOSYS; /* the kernel has no such action, which is likelier than no memory */
    err = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!err)
        err = add_rules(f, x->errand == PVB_PLACE);
    if (!err)
        err = seccomp_load(f);
    seccomp_release(f);
    return -err;
}
