/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * pvboot-parse with another errand: it is started, mapped and confined by the same code, and then does not parse but
 * attacks, as its "kernel" says.  Built for the tests alone; the helper that is installed has none of this.
 */
#include "../../src/frontends/parse/parse.h"
#include "attack.h"

#include <errno.h>
#include <pvboot/limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct pvb_handoff x;

/* What needs no system call of its own; each row is judged by name in test_confine.c. */
static void crash(void)
{
    static volatile int *volatile nowhere;

    *nowhere = 1;
}

static void scribble_input(void)
{
    *(volatile uint8_t *)(uintptr_t)x.file.p = 1;
}

static void spin(void)
{
    for (;;)
        __asm__ volatile("");
}

static void fill_output(void)
{
    memset(x.output, 0x5a, 16u << 20);
}

static void outgrow_output(void)
{
    ssize_t put = pwrite(PVB_FD_OUTPUT, x.file.p, 1, (off_t)x.output_bytes);

    snprintf(x.answer.text, sizeof(x.answer.text), "%s", put < 0 ? strerrorname_np(errno) : "OPEN");
}

/* Every byte the limit lets it have, and the one too many. */
static void hoard(void)
{
    size_t had = 0, step = 16u << 20;
    volatile char *p;

    while ((p = malloc(step))) { /* used, or a compiler may do without it */
        *p = 1;
        had += step;
    }
    snprintf(x.answer.text, sizeof(x.answer.text), "had %zu MiB", had >> 20);
}

/* It is confined, and answers. */
static void nothing(void)
{
}

/* No system call where the vDSO can tell the time; under Xen's clock source it cannot. */
static void clock_vdso(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
}

static void short_answer(void)
{
    if (write(PVB_FD_ANSWER, &x.answer, 100) != 100)
        crash();
    _exit(0);
}

static void long_answer(void)
{
    for (;;)
        if (write(PVB_FD_ANSWER, &x.answer, sizeof(x.answer)) < 0)
            crash();
}

static void no_answer(void)
{
    _exit(3);
}

static void answer_and_stay(void)
{
    if (write(PVB_FD_ANSWER, &x.answer, sizeof(x.answer)) < 0)
        crash();
    spin();
}

static void answer_and_crash(void)
{
    if (write(PVB_FD_ANSWER, &x.answer, sizeof(x.answer)) == sizeof(x.answer))
        crash();
}

static void answer_and_fail(void)
{
    if (write(PVB_FD_ANSWER, &x.answer, sizeof(x.answer)) == sizeof(x.answer))
        _exit(3);
}

static void layer_missing(void)
{
    x.answer.missing = 1u << PVB_LAYER_LANDLOCK;
}

static void unknown_layer_missing(void)
{
    x.answer.missing = 1u << 31;
}

static void wrong_step(void)
{
    x.answer.step = PVB_STEP_MAP + 1;
}

static void done_and_failed(void)
{
    x.answer.step = PVB_STEP_DONE;
}

static void confined_and_not(void)
{
    x.answer.code = PVBOOT_E_SANDBOX;
}

/* An ELF that is in the file, and of which the payload could not be unpacked. */
static void unpacked_and_not(void)
{
    x.answer.step = PVB_STEP_UNPACK;
    x.answer.image = (struct pvboot_image){
        .format = PVBOOT_FORMAT_ELF,
        .file_bytes = x.file.len,
        .has_elf = true,
        .elf = { .machine = 3 /* EM_386 */,
                 .n_loads = 1,
                 .load = { { .gpa = 0x100000, .mem_bytes = 4096, .file_bytes = 1 } },
                 .window = { .pref_gpa = 0x100000, .bytes = 4096, .align = 4096, .max_gpa = UINT64_MAX } },
    };
}

/* PT_LOADs that it was not asked for, instead of the ELF that it was. */
static void only_looked(void)
{
    x.answer.code = 0;
    x.answer.step = PVB_STEP_DONE;
    x.answer.looked = 1;
    x.answer.image = (struct pvboot_image){
        .format = PVBOOT_FORMAT_BZIMAGE,
        .file_bytes = x.file.len,
        .has_bzimage = true,
        .bz = { .protocol = 0x20f,
                .setup_sects = 1,
                .header_bytes = 0x7b,
                .kernel_off = 1024,
                .kernel_bytes = 1024,
                .window = { .pref_gpa = 0x1000000, .bytes = 4096, .align = 4096, .max_gpa = UINT64_MAX },
                .cmdline_max = 255,
                .initrd_addr_max = 0x7fffffff,
                .payload_off = 1024,
                .payload_bytes = 512,
                .unpacked_bytes = 8192,
                .codec = PVBOOT_CODEC_XZ },
        .elf = { .n_loads = 1, .load = { { .gpa = 0x1000000, .mem_bytes = 4096, .off = 4096, .file_bytes = 4096 } } },
    };
}

/* A bzImage that starts by either entry, of a file that is none: who looks at it again, not confined, says so. */
static void any_bzimage(void)
{
    only_looked();
    x.answer.looked = 0;
    x.answer.image.elf = (struct pvboot_elf){ 0 };
    x.answer.image.bz.xloadflags = 1;
    x.answer.image.bz.code32_start = 0x100000;
}

static void wrong_magic(void)
{
    x.answer.magic++;
}

static void wrong_version(void)
{
    memset(x.answer.version, '9', sizeof(x.answer.version));
}

static void wrong_class(void)
{
    x.answer.code = 1000;
}

static void no_error(void)
{
    x.answer.code = 0;
}

static void empty_image(void)
{
    x.answer.code = 0;
    x.answer.step = PVB_STEP_DONE; /* and an image that is all zeroes */
}

static void long_text(void)
{
    memset(x.answer.text, 0x1b, sizeof(x.answer.text)); /* no NUL, and nothing a terminal should see */
}

/* Half of a mapping: what is behind it is told of two halves then, and Linux' driver for Xen counts its pages twice. */
static void split_output(void)
{
    if (munmap(x.output, (size_t)PVB_PAGE))
        crash();
}

static void move_output(void)
{
    if (mremap(x.output, (size_t)PVB_PAGE, (size_t)PVB_PAGE, MREMAP_MAYMOVE) == MAP_FAILED)
        crash();
}

/* As a decoder does: much memory at once, more of it, none. */
static void take_and_give_back(void)
{
    for (size_t n = 1u << 20; n <= 64u << 20; n *= 2) {
        volatile char *p = malloc(n), *q;

        if (!p)
            crash();
        p[n - 1] = 1;
        q = realloc((void *)p, 2 * n);
        if (!q || q[n - 1] != 1)
            crash();
        free((void *)q);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} tricks[] = {
    { "crash", crash },
    { "scribble_input", scribble_input },
    { "spin", spin },
    { "fill_output", fill_output },
    { "split_output", split_output },
    { "move_output", move_output },
    { "take_and_give_back", take_and_give_back },
    { "outgrow_output", outgrow_output },
    { "hoard", hoard },
    { "nothing", nothing },
    { "clock_vdso", clock_vdso },
    { "short_answer", short_answer },
    { "long_answer", long_answer },
    { "no_answer", no_answer },
    { "answer_and_stay", answer_and_stay },
    { "answer_and_crash", answer_and_crash },
    { "answer_and_fail", answer_and_fail },
    { "layer_missing", layer_missing },
    { "unknown_layer_missing", unknown_layer_missing },
    { "wrong_step", wrong_step },
    { "done_and_failed", done_and_failed },
    { "confined_and_not", confined_and_not },
    { "unpacked_and_not", unpacked_and_not },
    { "only_looked", only_looked },
    { "any_bzimage", any_bzimage },
    { "wrong_magic", wrong_magic },
    { "wrong_version", wrong_version },
    { "wrong_class", wrong_class },
    { "empty_image", empty_image },
    { "no_error", no_error },
    { "long_text", long_text },
    { "abort", abort },
};

static void carry_out(const struct order *o)
{
    x.answer.code = PVBOOT_E_UNSUPPORTED;
    for (size_t i = 0; i < n_attacks; i++)
        if (!strcmp(o->name, attacks[i].name)) {
            int err = attacks[i].run();

            snprintf(x.answer.text, sizeof(x.answer.text), "%s", err ? strerrorname_np(err) : "OPEN");
            return;
        }
    for (size_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++)
        if (!strcmp(o->name, tricks[i].name)) {
            tricks[i].run();
            return;
        }
    snprintf(x.answer.text, sizeof(x.answer.text), "no attack called %s", o->name);
}

int main(int argc, char **argv)
{
    struct pvboot_error e = { 0 };
    struct order order;

    if (pvb_handoff_take(&x, argc, argv) || !pvboot_get(x.file, 0, &order, sizeof(order)))
        return PVBOOT_E_USAGE;
    attack_output = x.output;
    attack_caller = (int)x.caller;
    x.answer.step = PVB_STEP_PARSE;
    if (pvb_jail(&x, order.layers, &e))
        pvb_handoff_fail(&x, PVB_STEP_CONFINE, &e);
    else
        carry_out(&order);
    pvb_handoff_answer(&x);
}
