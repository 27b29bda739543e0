/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One error: a class, which is also the process's exit code, the file it is about, and one sentence.
 *
 * Every function that can fail returns 0 or the negated class.  The sentence is written where the fact
 * is known and says what, at which offset, the value and the limit; callers only add the file's name.
 * Nothing below the front ends prints.
 */
#ifndef PVBOOT_ERROR_H
#define PVBOOT_ERROR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Classes, clear of errno's small numbers and of sysexits' other uses.  The value is the exit code. */
enum pvboot_class {
    PVBOOT_E_USAGE = 64,       /* command line or configuration */
    PVBOOT_E_MALFORMED = 65,   /* an input contradicts its own format */
    PVBOOT_E_UNREADABLE = 66,  /* an input is absent, unreadable or changed while it was read */
    PVBOOT_E_UNSUPPORTED = 67, /* well formed, but not something this path can start */
    PVBOOT_E_LIMIT = 68,       /* over a stated limit */
    PVBOOT_E_NOFIT = 69,       /* finds no room in the guest's memory */
    PVBOOT_E_INTERNAL = 70,    /* a bug in pvboot */
    PVBOOT_E_HOST = 71,        /* the host is short of memory, descriptors, a tool */
    PVBOOT_E_XEN = 72,         /* Xen or xenstore refused */
    PVBOOT_E_SANDBOX = 73,     /* the confined parser died or could not be confined */
};

struct pvboot_error {
    int code;       /* enum pvboot_class; 0 while nothing failed */
    char file[160]; /* what it is about, "" when nothing in particular; long paths lose their head */
    char text[320]; /* one sentence of printable ASCII: other bytes as \xNN, a backslash of an input as two */
};

/* The class's name as it stands in the line: "usage", "malformed", ... */
const char *pvboot_class_name(int code);

/*
 * The line a front end prints, without newline: "pvboot: <class>: <file>: <text>".
 * Writes at most @n bytes including the NUL and returns @buf.
 */
const char *pvboot_error_line(const struct pvboot_error *e, char *buf, size_t n);

#ifdef __cplusplus
}
#endif

#endif
