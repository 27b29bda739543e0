/* SPDX-License-Identifier: LGPL-2.1-only */
/* What every stage stands on: errors, names, checked arithmetic. */
#ifndef PVB_BASE_H
#define PVB_BASE_H

#include <pvboot/build.h>
#include <stdarg.h>

#define PVB_PAGE 4096ull
#define PVB_4G (1ull << 32)

/* A row of a table that a macro writes: braces of its own every version of clang-format lays out in another way. */
#define PVB_ROW(...) \
    {                \
        __VA_ARGS__, \
    }

#define PVB_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define PVB_CHECKED __attribute__((warn_unused_result))

/*
 * Fill @e and return -@code.  Bytes outside printable ASCII are escaped.
 * An error is written once: an @e that holds one already keeps it, and the return value is -@e->code, the class of that
 * first one and not @code.  So what a function returns is always what its @e says.  Who goes on after an error, to clean
 * up or to try another way, gives what it calls another @e, or NULL: then the return value is -@code.
 */
int pvb_fail(struct pvboot_error *e, enum pvboot_class code, const char *fmt, ...) PVB_PRINTF(3, 4);
/* The same where all text from outside in it has been escaped already, and must not be twice. */
int pvb_fail_escaped(struct pvboot_error *e, enum pvboot_class code, const char *fmt, ...) PVB_PRINTF(3, 4);
/* pvb_fail() with what errno says, taking no lock: strerror() takes the one of translations. */
int pvb_fail_errno(struct pvboot_error *e, enum pvboot_class code, const char *what);
/* @path without what would have a symbolic link followed after all: "link/", "link/."  0, or -1 with errno. */
int pvb_bare_path(char *bare, size_t n, const char *path);
/* Say which file @e is about, unless it already says. Returns @rc. */
int pvb_in_file(struct pvboot_error *e, const char *path, int rc);
/*
 * Copy text from outside for display: at most @n bytes with NUL; control bytes and non-ASCII as \xNN, a backslash as two.
 * Who prints text from outside prints what this made of it.
 */
void pvb_escape(char *dst, size_t n, const void *src, size_t src_bytes);

/* The paths that start at PHYS32_ENTRY with a start info. */
static inline bool pvb_is_pvh(enum pvboot_path path)
{
    return path == PVBOOT_PATH_PVH || path == PVBOOT_PATH_STUB;
}
static inline bool pvb_is_long(enum pvboot_path path)
{
    return path == PVBOOT_PATH_LINUX64 || path == PVBOOT_PATH_VMLINUX64;
}
/* The paths that load an ELF and not the bzImage's protected-mode part: pvh, and vmlinux64 and all behind it. */
static inline bool pvb_loads_elf(enum pvboot_path path)
{
    return path == PVBOOT_PATH_PVH || path >= PVBOOT_PATH_VMLINUX64;
}
/* Of these, the ones whose ELF is what the kernel's file packs. */
static inline bool pvb_enters_payload(enum pvboot_path path)
{
    return pvb_loads_elf(path) && path != PVBOOT_PATH_STUB;
}

/* How much of what is unpacked, whole pages of it, is a wrapper's kernel; a payload's ELF comes behind that. */
static inline uint64_t pvb_unwrapped_bytes(const struct pvboot_wrapper *w)
{
    return w->codec == PVBOOT_CODEC_NONE ? 0 : (w->kernel_bytes + PVB_PAGE - 1) & ~(PVB_PAGE - 1);
}

/* Checked arithmetic: true when the result fits. */
static inline bool pvb_add(uint64_t a, uint64_t b, uint64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}
/* @align is a power of two. */
static inline bool pvb_align_up(uint64_t x, uint64_t align, uint64_t *up)
{
    if (!pvb_add(x, align - 1, up))
        return false;
    *up &= ~(align - 1);
    return true;
}
static inline bool pvb_power_of_two(uint64_t x)
{
    return x && !(x & (x - 1));
}

/* scan.c: where the statements of an xl.cfg start. */
struct pvb_cfg_statement {
    char key[64];
    unsigned int line;
};
/* The next `key =` at or after @*at; false at the end. */
bool pvb_cfg_scan(struct pvboot_bytes text, size_t *at, unsigned int *line, struct pvb_cfg_statement *st);

#endif
