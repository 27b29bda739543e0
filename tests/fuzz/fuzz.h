/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the fuzz targets share.  A target is one file with LLVMFuzzerTestOneInput(); it is linked with libFuzzer, to
 * look for new inputs, or with replay.c, to show old ones to a build with sanitizers or counters.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "builder/base/base.h"

#include <jansson.h>

/* assert(), but never compiled out. */
#define FUZZ_MUST(holds)                                       \
    do {                                                       \
        if (!(holds))                                          \
            fuzz_broken(#holds, __FILE__, (unsigned)__LINE__); \
    } while (0)
__attribute__((noreturn)) void fuzz_broken(const char *what, const char *file, unsigned int line);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next @n bytes of @in; zeroes where it has none left. */
void fuzz_take(struct pvboot_bytes *in, void *dst, size_t n);
static inline uint8_t fuzz_byte(struct pvboot_bytes *in)
{
    uint8_t b;

    fuzz_take(in, &b, sizeof(b));
    return b;
}

/* Whatever a function made of it: @rc and @e agree, and a refusal is one printable line of a known class. */
void fuzz_judge(int rc, const struct pvboot_error *e);
/* The same of what `pvboot decode` says; consumes @o. */
void fuzz_judge_json(json_t *o);

/* A machine and a request, from the first bytes of the input. */
#define FUZZ_WISH_BYTES 12u
struct fuzz_wish {
    struct pvboot_machine machine;
    struct pvboot_request req;
    bool possible; /* there is such a machine */
};
void fuzz_wish(struct fuzz_wish *w, struct pvboot_bytes *in);

/*
 * Plan @k through every path.  A plan that is made passes the check and is loaded, by writes that lie in one of its
 * segments each and in RAM.  @zero_page, if there is one, is shown to @look with the plan.
 */
typedef void fuzz_look(const struct pvboot_kernel *k, const struct pvboot_plan *plan, const uint8_t *zero_page);
void fuzz_start(const struct pvboot_kernel *k, struct fuzz_wish *w, fuzz_look *look);

/* The verifier believes what the parser says of a file of @file_bytes. */
void fuzz_verified(const struct pvboot_image *img, uint64_t file_bytes);
/* All of that for a wish and the file behind it, if it is of @format.  Returns what a target does: 0. */
int fuzz_file(struct pvboot_bytes file, enum pvboot_format format, fuzz_look *look);

#endif
