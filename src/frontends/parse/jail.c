/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The layers of the confinement, in the order in which they can be put on: a change of user resets death signal and
 * dumpability, Landlock wants no_new_privs and a descriptor, the filter forbids all of it.
 */
#include "parse.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pvboot/limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLACK (64ull << 20) /* program, libraries, stack, small allocations */
#define STACK (8ull << 20)  /* of that; it does not count as data, and what a caller set may be no limit */

#ifndef CPU_SECONDS /* its test cannot wait as long */
#define CPU_SECONDS PVBOOT_PARSE_CPU_SECONDS
#endif

static int result(int r)
{
    return r ? errno : 0;
}

/* Whatever the caller left open; the helper itself has closed its file by now, and with a guest's frames all but one. */
static int close_descriptors(const struct pvb_handoff *x)
{
    unsigned int below = x->errand == PVB_PLACE ? PVB_FD_ANSWER : 1;

    return result(close_range(0, below - 1, 0) || close_range(PVB_FDS, ~0u, 0));
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Or what the caller has been held to, if that is less: without privileges nobody can raise it. */
static int limit(int what, uint64_t most)
{
    /* Processor time: the signal that says what for comes at the lower of two limits. */
    uint64_t hard = what == RLIMIT_CPU ? most + 1 : most;
    struct rlimit now;

    if (getrlimit((__rlimit_resource_t)what, &now))
        return errno;
    now.rlim_max = lower(now.rlim_max, hard);
    now.rlim_cur = lower(now.rlim_max, most);
    return setrlimit((__rlimit_resource_t)what, &now) ? errno : 0;
}

static int set_limits(const struct pvb_handoff *x)
{
    const struct {
        int what;
        uint64_t most;
    } want[] = {
        { RLIMIT_CORE, 0 },
        { RLIMIT_NPROC, 0 },
        { RLIMIT_FSIZE, x->errand == PVB_PLACE ? 0 : x->output_bytes }, /* that is how large it is */
        { RLIMIT_MEMLOCK, 0 },
        { RLIMIT_MSGQUEUE, 0 },
        { RLIMIT_CPU, CPU_SECONDS },
        { RLIMIT_STACK, STACK },
        { RLIMIT_DATA, PVBOOT_DECODER_MEMORY_MAX + SLACK - STACK + x->private_bytes },
        { RLIMIT_AS, x->file.len + x->output_bytes + PVBOOT_DECODER_MEMORY_MAX + SLACK },
    };
    int err = 0;

    for (size_t i = 0; !err && i < sizeof(want) / sizeof(want[0]); i++)
        err = limit(want[i].what, want[i].most);
    return err;
}

/*
 * The user it was told, if it is root's; anybody else stays who they are.  No capability either way.  That user may have
 * more processes than the limit of none that is on by now: only who executes a program is refused for that.
 */
static int drop_user(const struct pvb_handoff *x)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

    if (!geteuid() && (setgroups(0, NULL) || setresgid(x->gid, x->gid, x->gid) || setresuid(x->uid, x->uid, x->uid)))
        return errno;
    return result((int)syscall(SYS_capset, &head, none));
}

/* A caller that is gone already cannot send the signal. 0: it lives in another PID namespace. */
static int die_with_caller(const struct pvb_handoff *x)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL))
        return errno;
    return getppid() && getppid() != x->caller ? ESRCH : 0;
}

static int be_undumpable(const struct pvb_handoff *x)
{
    (void)x;
    return result(prctl(PR_SET_DUMPABLE, 0));
}

static int forgo_privileges(const struct pvb_handoff *x)
{
    (void)x;
    return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static int forgo_descriptors(const struct pvb_handoff *x)
{
    (void)x;
    return limit(RLIMIT_NOFILE, 0);
}

static pvb_layer_enter *const enter[PVB_LAYERS] = {
    [PVB_LAYER_DESCRIPTORS] = close_descriptors,
    [PVB_LAYER_LIMITS] = set_limits,
    [PVB_LAYER_USER] = drop_user,
    [PVB_LAYER_DEATH_SIGNAL] = die_with_caller,
    [PVB_LAYER_UNDUMPABLE] = be_undumpable,
    [PVB_LAYER_NO_NEW_PRIVS] = forgo_privileges,
    [PVB_LAYER_LANDLOCK] = pvb_landlock,
    [PVB_LAYER_NO_DESCRIPTORS] = forgo_descriptors,
    [PVB_LAYER_SECCOMP] = pvb_seccomp,
};

int pvb_jail(struct pvb_handoff *x, uint32_t layers, struct pvboot_error *e)
{
    free(malloc(1)); /* the first allocation asks the kernel for random bytes, which the filter would not allow */
    for (unsigned i = 0; i < PVB_LAYERS; i++) {
        int err = layers & 1u << i ? enter[i](x) : 0;

        if (err && x->strict)
            return pvb_fail(e, PVBOOT_E_SANDBOX, "this host has no layer '%s' for the confined parser: %s",
                            pvb_layer_name((enum pvb_layer)i), strerror(err));
        if (err)
            x->answer.missing |= 1u << i;
    }
    return 0;
}
