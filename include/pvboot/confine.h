/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Parsing and unpacking a kernel in another process, which can do nothing else.
 *
 * The helper, pvboot-parse, gets three descriptors besides its own program: a sealed copy of the file, memory to unpack
 * to, a pipe for one answer of fixed size; pvboot_kernel_place() says what it gets instead.  It gives up every right it has before it looks at the first byte.  Its
 * answer is a value that is checked once more here, its output is sealed before it is used; no byte of the kernel is
 * interpreted in the calling process.
 */
#ifndef PVBOOT_CONFINE_H
#define PVBOOT_CONFINE_H

#include <pvboot/image.h>
#include <pvboot/limits.h>
#include <pvboot/memmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/* On a host that lacks a layer of the confinement: */
enum pvboot_sandbox {
    PVBOOT_SANDBOX_STRICT, /* refuse */
    PVBOOT_SANDBOX_BEST,   /* do without that layer */
    PVBOOT_SANDBOX_OFF,    /* use no helper: parse in the calling process, wherever */
};

struct pvboot_confine {
    enum pvboot_sandbox sandbox;
    const char *helper;               /* path of pvboot-parse; unused when off */
    struct pvboot_limits limits;      /* zeroes: the defaults */
    enum pvboot_path path;            /* a payload is unpacked when this path needs it */
    bool unpack_always;               /* or whatever the path; then a payload that cannot be is no failure */
    bool look;                        /* unpack no payload: if the path needs it, see what its beginning tells */
    struct pvboot_error unpack_error; /* out: why it could not be, with @unpack_always; else zeroes */
    char missing[128];                /* out: the layers that best did without, "landlock, seccomp"; else "" */
};

/* May grow: image.h.  @helper is set to the installed pvboot-parse, a static string; the caller may replace it. */
struct pvboot_confine *pvboot_confine_new(void);
void pvboot_confine_free(struct pvboot_confine *c);

/*
 * pvboot_kernel_parse() and pvboot_kernel_unpack() of @f, which is sealed and outlives @k, in the helper.  Of a file that
 * is held the helper sees head and tail, and where that is not enough, a whole copy, which @f is then.  Errors as
 * theirs, and -SANDBOX: the helper is absent, could not be confined, died or answered nonsense; the text names the
 * layer or the signal.  Nothing is left behind: no process, no descriptor, no memory.
 */
int pvboot_kernel_confine(struct pvboot_kernel *k, struct pvboot_file *f, struct pvboot_confine *c,
                          struct pvboot_error *e);

/*
 * Unpack a kernel that has only been looked at straight into the domain's memory, which has RAM as @map says and does not
 * run: the helper maps what the PT_LOADs will fill, with whatever else shares their pages, lets go of Xen, and only then is
 * confined and looks at the kernel.  @k becomes what pvboot_kernel_confine() makes of it, with ->placed instead of the
 * ELF's bytes.  PVBOOT_NOT_PLACED: the PT_LOADs do not lie like this, or the helper cannot map; nothing has happened.
 * Errors as pvboot_kernel_confine(), and -SANDBOX: the PT_LOADs are not those that were seen; then the guest's memory holds
 * anything.
 */
#define PVBOOT_NOT_PLACED 1
struct pvboot_place {
    uint32_t domid;
    const struct pvboot_memmap *map;
};
int pvboot_kernel_place(struct pvboot_kernel *k, const struct pvboot_file *f, struct pvboot_confine *c,
                        const struct pvboot_place *place, struct pvboot_error *e);

/* pvboot_kernel_open() in the same way. */
int pvboot_kernel_open_confined(struct pvboot_kernel *k, const char *path, struct pvboot_confine *c,
                                struct pvboot_error *e);

/* Open @helper now: it is the one that will be started, also when its package is upgraded before that. */
void pvboot_confine_prepare(const char *helper);

/* The helper beside @file, a program or plugin; where there is none, the installed one.  Returns @buf. */
const char *pvboot_confine_helper(const char *file, char *buf, size_t n);

#ifdef __cplusplus
}
#endif

#endif
