/* SPDX-License-Identifier: LGPL-2.1-only */
/* A kernel from a file to a checked value, by way of the helper. */
#include "../builder/file/file.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pvboot/limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define HELPER "pvboot-parse"
#define SEAL_TRIES 200 /* a millisecond each */

/* What of a bzImage is looked at behind its setup part; boot.rst, payload_offset, payload_length, kernel_info. */
#define MAGIC_BYTES 8u
#define TRAILER_BYTES 4u
#define INFO_BYTES 16u

static bool wants_elf(const struct pvboot_image *img, const struct pvboot_confine *c)
{
    return c->unpack_always || pvboot_image_needs_elf(img, c->path);
}

static uint64_t unpacked_max(const struct pvboot_confine *c)
{
    return pvboot_limit(c->limits.unpacked, PVBOOT_UNPACKED_MAX);
}

static bool shown(const struct pvboot_file *f, uint64_t off, uint64_t n)
{
    for (uint32_t i = 0; i < f->n_shown; i++)
        if (off >= f->shown[i].off && n <= f->shown[i].n && off - f->shown[i].off <= f->shown[i].n - n)
            return true;
    return false;
}

bool pvb_all_shown(const struct pvboot_image *img, const struct pvboot_file *f)
{
    const struct pvboot_bzimage *bz = &img->bz;
    uint64_t end = bz->payload_off + bz->payload_bytes;

    if (img->format != PVBOOT_FORMAT_BZIMAGE || img->wrapper.kind != PVBOOT_WRAPPER_NONE || img->has_elf ||
        !shown(f, 0, bz->kernel_off))
        return false;
    if (bz->payload_bytes && (!shown(f, bz->payload_off, MAGIC_BYTES) || !shown(f, end - TRAILER_BYTES, TRAILER_BYTES)))
        return false;
    return !bz->info_off || shown(f, bz->info_off, INFO_BYTES);
}

static int parse_here(struct pvboot_kernel *k, const struct pvboot_file *f, struct pvboot_confine *c, bool look,
                      struct pvboot_error *e)
{
    int rc = pvboot_kernel_parse_within(k, f->bytes, c->limits.unpacked, e);

    if (rc || look || !wants_elf(&k->image, c))
        return rc;
    rc = pvboot_kernel_unpack(k, c->unpack_always ? &c->unpack_error : e);
    if (!rc || c->unpack_always)
        return 0;
    pvboot_kernel_dispose(k);
    return rc;
}

static void name_layers(uint32_t missing, char *text, size_t n)
{
    size_t used = 0;

    text[0] = 0;
    for (unsigned i = 0; i < PVB_LAYERS; i++)
        if (missing & 1u << i && used < n)
            used +=
                (size_t)snprintf(text + used, n - used, "%s%s", used ? ", " : "", pvb_layer_name((enum pvb_layer)i));
}

int pvb_pass_on(const struct pvb_answer *a, struct pvboot_error *e)
{
    switch (a->code) {
    case PVBOOT_E_MALFORMED:
    case PVBOOT_E_UNREADABLE:
    case PVBOOT_E_UNSUPPORTED:
    case PVBOOT_E_LIMIT:
    case PVBOOT_E_INTERNAL:
    case PVBOOT_E_HOST:
    case PVBOOT_E_SANDBOX:
        return pvb_fail_escaped(e, (enum pvboot_class)a->code, "%.*s", (int)sizeof(a->text), a->text);
    default:
        return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser's answer contradicts itself: class %d", a->code);
    }
}

/*
 * Nobody can write the output any more: the seal, which fails while somebody could, proves it.  The helper's end has
 * been seen, but who looks at it in /proc at that moment keeps its memory for a little longer.
 */
static int seal_output(struct pvboot_file *f, int out, uint64_t bytes, struct pvboot_error *e)
{
    int tries = 0;

    if (ftruncate(out, (off_t)bytes)) /* not permitted: without seccomp it could seal it itself, or cut it shorter */
        return pvb_fail(e, errno == EPERM ? PVBOOT_E_SANDBOX : PVBOOT_E_HOST, "cutting the parser's output: %s",
                        strerror(errno));
    while (fcntl(out, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)) {
        if (errno != EBUSY || tries++ == SEAL_TRIES)
            return pvb_fail(e, PVBOOT_E_SANDBOX, "the parser's output cannot be sealed: %s", strerror(errno));
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return pvb_memfd_seal(f, out, (size_t)bytes, e);
}

/* How much of the helper's output there is: what a wrapper held, and the ELF of a payload behind it. */
static uint64_t output_bytes(const struct pvboot_image *img)
{
    uint64_t used = pvb_unwrapped_bytes(&img->wrapper);

    if (img->has_elf && img->has_bzimage && img->bz.codec != PVBOOT_CODEC_NONE)
        return used + img->bz.unpacked_bytes;
    return used ? img->wrapper.kernel_bytes : 0;
}

/* By its descriptor: to map shared memory takes time for each page, and memory for those nobody wrote. */
static void read_elf_by_descriptor(struct pvboot_kernel *k)
{
    k->elf_from = (struct pvboot_source){ .get = pvb_memfd_get, .fd = k->own_elf.memfd };
    k->elf_off = (uint64_t)(k->elf.p - k->own_elf.bytes.p);
}

/* Where kernel and ELF are: in the file, a wrapper or plain payload in it, or the helper's output. */
static void find_parts(struct pvboot_kernel *k)
{
    const struct pvboot_image *img = &k->image;
    uint64_t used = pvb_unwrapped_bytes(&img->wrapper);

    if (used)
        k->file = pvboot_sub(k->own_elf.bytes, 0, img->wrapper.kernel_bytes);
    else if (img->wrapper.kind != PVBOOT_WRAPPER_NONE)
        k->file = pvboot_sub(k->whole, img->wrapper.off, img->wrapper.bytes);
    if (!img->has_elf)
        return;
    if (!img->has_bzimage)
        k->elf = k->file;
    else if (img->bz.codec == PVBOOT_CODEC_NONE)
        k->elf = pvboot_sub(k->file, img->bz.payload_off, img->bz.payload_bytes);
    else
        k->elf = pvboot_sub(k->own_elf.bytes, used, img->bz.unpacked_bytes);
    if (used || (img->has_bzimage && img->bz.codec != PVBOOT_CODEC_NONE))
        read_elf_by_descriptor(k);
}

/* *@owned: @out went into @k. */
static int take_output(struct pvboot_kernel *k, int out, bool *owned, struct pvboot_error *e)
{
    uint64_t bytes = output_bytes(&k->image);
    int rc = bytes ? seal_output(&k->own_elf, out, bytes, e) : 0;

    *owned = bytes && !rc;
    if (!rc)
        find_parts(k);
    return rc;
}

static int take_answer(struct pvboot_kernel *k, const struct pvb_answer *a, struct pvboot_confine *c, bool look,
                       struct pvboot_error *e)
{
    bool unpack_failed = a->step == PVB_STEP_UNPACK && c->unpack_always;
    int rc;

    if (unpack_failed)
        (void)pvb_pass_on(a, &c->unpack_error);
    else if (a->code)
        return pvb_pass_on(a, e);
    rc = pvb_image_verify(&k->image, &a->image, k->whole.len, unpacked_max(c), e);
    if (rc)
        return rc;
    if (a->looked && look)
        return pvb_look_verify(k, a, e);
    if (!look && !unpack_failed && !k->image.has_elf && wants_elf(&k->image, c))
        return pvb_fail(e, PVBOOT_E_SANDBOX, "the confined parser's answer contradicts itself: no ELF");
    return 0;
}

int pvb_ask(struct pvb_answer *a, struct pvboot_confine *c, struct pvb_run run, struct pvboot_error *e)
{
    int rc;

    run.helper = c->helper;
    run.arg[0] = c->sandbox == PVBOOT_SANDBOX_STRICT ? "strict" : "best";
    run.arg[1] = c->unpack_always ? PVB_ARG_ELF : pvboot_path_name(c->path);
    run.wall_ms = PVBOOT_PARSE_WALL_MS;
    rc = pvb_run(&run, a, e);
    if (!rc)
        rc = pvb_answer_verify(a, c->sandbox == PVBOOT_SANDBOX_STRICT, e);
    if (!rc)
        name_layers(a->missing, c->missing, sizeof(c->missing));
    return rc;
}

static int ask(struct pvboot_kernel *k, const struct pvb_run *run, struct pvboot_confine *c, struct pvboot_error *e)
{
    struct pvb_answer a;
    int rc;

    if (ftruncate(run->out, (off_t)unpacked_max(c)))
        return pvb_fail(e, PVBOOT_E_HOST, "making room for the parser's output: %s", strerror(errno));
    if (fcntl(run->out, F_ADD_SEALS, F_SEAL_GROW))
        return pvb_fail(e, PVBOOT_E_HOST, "sealing the room for the parser's output: %s", strerror(errno));
    rc = pvb_ask(&a, c, *run, e);
    return rc ? rc : take_answer(k, &a, c, run->errand == PVB_LOOK, e);
}

/* @look: at no more than the beginning of a payload. */
static int confine(struct pvboot_kernel *k, const struct pvboot_file *f, struct pvboot_confine *c, bool look,
                   struct pvboot_error *e)
{
    struct pvb_run run = { .in = f->memfd, .errand = look ? PVB_LOOK : PVB_UNPACK };
    bool owned = false;
    int rc;

    if (c->sandbox == PVBOOT_SANDBOX_OFF)
        return parse_here(k, f, c, look, e);
    if (!f->mapped || f->memfd < 0)
        return pvb_fail(e, PVBOOT_E_INTERNAL, "a file that is not sealed was to be parsed in the sandbox");
    rc = pvb_memfd_room(unpacked_max(c), e);
    if (rc)
        return rc;
    run.out = pvb_memfd("pvboot-elf", e);
    if (run.out < 0)
        return run.out;
    k->whole = k->file = f->bytes;
    k->confined = true;
    rc = ask(k, &run, c, e);
    if (!rc)
        rc = take_output(k, run.out, &owned, e);
    if (!owned)
        close(run.out);
    if (rc)
        pvboot_kernel_dispose(k);
    return rc;
}

#define NEEDS_MORE 1

/* Is a look without unpacking worth it: for the ends of a file that is held, or because the caller wants no more? */
static bool may_do_with_look(const struct pvboot_file *f, const struct pvboot_confine *c)
{
    return !c->unpack_always && (c->look || (f->held && !pvb_enters_payload(c->path)));
}

/*
 * Without unpacking a payload, and of a file that is held from what is shown of it, if that tells it all.  What goes
 * wrong here goes wrong again, and for the right reason, with more; but for the sandbox itself, which no file mends.
 */
static int confine_look(struct pvboot_kernel *k, const struct pvboot_file *f, struct pvboot_confine *c,
                        struct pvboot_error *e)
{
    struct pvboot_error first = { 0 };
    int rc;

    if (!may_do_with_look(f, c))
        return NEEDS_MORE;
    rc = confine(k, f, c, true, &first);
    if (rc == -PVBOOT_E_SANDBOX)
        return pvb_fail_escaped(e, PVBOOT_E_SANDBOX, "%s", first.text);
    if (rc)
        return NEEDS_MORE;
    if (f->held && !shown(f, 0, f->bytes.len < PVBOOT_FILE_HEAD ? f->bytes.len : PVBOOT_FILE_HEAD))
        k->n_seen = 0; /* of a payload whose beginning was not shown */
    if ((!f->held || pvb_all_shown(&k->image, f)) && (c->look || k->image.has_elf || !wants_elf(&k->image, c))) {
        k->file_from = pvboot_file_source(f);
        return 0;
    }
    pvboot_kernel_dispose(k);
    return NEEDS_MORE;
}

int pvboot_kernel_confine(struct pvboot_kernel *k, struct pvboot_file *f, struct pvboot_confine *c,
                          struct pvboot_error *e)
{
    int rc;

    *k = (struct pvboot_kernel){ 0 };
    c->missing[0] = 0;
    c->unpack_error = (struct pvboot_error){ 0 };
    rc = confine_look(k, f, c, e);
    if (rc != NEEDS_MORE)
        return rc;
    rc = pvboot_file_copy(f, e);
    return rc ? rc : confine(k, f, c, c->look, e);
}

int pvboot_kernel_open_confined(struct pvboot_kernel *k, const char *path, struct pvboot_confine *c,
                                struct pvboot_error *e)
{
    struct pvboot_file f;
    int rc;

    *k = (struct pvboot_kernel){ 0 };
    rc = pvboot_file_read(&f, path, pvboot_limit(c->limits.kernel, PVBOOT_KERNEL_MAX), e);
    if (rc)
        return rc;
    rc = pvboot_kernel_confine(k, &f, c, e);
    if (rc) {
        pvboot_file_dispose(&f);
        return pvb_in_file(e, path, rc);
    }
    k->own_file = f;
    return 0;
}

static const char *beside(const char *file, const char *name, int mode, char *buf, size_t n)
{
    const char *slash = strrchr(file, '/');
    int len = slash ? (int)(slash - file) : 0;

    if (slash && (size_t)snprintf(buf, n, "%.*s/%s", len, file, name) < n && !access(buf, mode))
        return buf;
    snprintf(buf, n, "%s/%s", PVBOOT_LIBEXECDIR, name);
    return buf;
}

const char *pvb_program(const char *file, const char *name, char *buf, size_t n)
{
    return beside(file, name, X_OK, buf, n);
}

const char *pvb_data(const char *file, const char *name, char *buf, size_t n)
{
    return beside(file, name, R_OK, buf, n);
}

const char *pvboot_confine_helper(const char *file, char *buf, size_t n)
{
    return pvb_program(file, HELPER, buf, n);
}
