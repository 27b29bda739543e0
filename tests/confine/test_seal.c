/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the real helper unpacked: the memory it takes, how it is read, and who could still write it: somebody who has it
 * mapped keeps it from being used.  The mapping is made here, where the library makes that memory, and ends where it
 * waits; reading fails here too: the linker prefers our functions to libc's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/mkimage.h"
#include "surroundings.h"

#include <errno.h>
#include <fcntl.h>
#include <pvboot/confine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define TRIES 200

static char helper[512];
static bool keep;                    /* a mapping of the helper's output */
static bool uncut;                   /* the helper's output: somebody has sealed that it does not shrink */
static uint8_t *kept;                /* NULL: none */
static unsigned int tries, patience; /* it is let go after so many */

int memfd_create(const char *name, unsigned int flags)
{
    int fd = (int)syscall(SYS_memfd_create, name, flags);
    void *p;

    if (fd < 0 || strcmp(name, "pvboot-elf"))
        return fd;
    if (uncut)
        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    if (!keep)
        return fd;
    p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    kept = p == MAP_FAILED ? NULL : p;
    return fd;
}

static int pread_fails_with; /* once, if with EINTR */

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
    if (!pread_fails_with)
        return syscall(SYS_pread64, fd, buf, n > 3 ? n / 2 : n, at);
    errno = pread_fails_with;
    pread_fails_with = errno == EINTR ? 0 : errno;
    return -1;
}

static void let_go(void)
{
    munmap(kept, PAGE);
    kept = NULL;
}

int nanosleep(const struct timespec *howlong, struct timespec *left)
{
    if (kept && ++tries == patience)
        let_go();
    return clock_nanosleep(CLOCK_MONOTONIC, 0, howlong, left);
}

static void keep_for(unsigned int n)
{
    keep = true;
    tries = 0;
    patience = n;
}

/* A packed kernel, and what came of it. */
struct scene {
    struct mk elf; /* inside */
    struct pvboot_file f;
    struct pvboot_kernel k;
    struct pvboot_error e;
    struct surroundings before;
};
static struct scene scene;

static void pack(struct scene *s, enum pvboot_codec codec)
{
    struct mk packed = mk_pack(codec, &s->elf), image = mk_bzimage(&packed);

    assert_int_equal(pvboot_file_seal(&s->f, mk_bytes(&image), &s->e), 0);
    mk_free(&packed);
    mk_free(&image);
}

static int setup(void **state)
{
    struct scene *s = *state = &scene;

    *s = (struct scene){ .elf = mk_elf(64, PAGE) };
    pack(s, PVBOOT_CODEC_GZIP);
    surroundings_take(&s->before);
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    keep = uncut = false;
    pread_fails_with = 0;
    pvboot_file_dispose(&s->f);
    mk_free(&s->elf);
    return 0;
}

/* For its ELF, which the sealed output then holds. */
static int unpack(struct scene *s)
{
    struct pvboot_confine c = { .helper = helper, .path = PVBOOT_PATH_VMLINUX64 };

    return pvboot_kernel_confine(&s->k, &s->f, &c, &s->e);
}

static void assert_unpacked(struct scene *s)
{
    assert_int_equal(s->k.elf.len, s->elf.len);
    assert_memory_equal(s->k.elf.p, s->elf.p, s->elf.len);
    assert_true(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s->k.own_elf.memfd, 0) == MAP_FAILED);
    pvboot_kernel_dispose(&s->k);
}

static void test_nobody_can_write(void **state)
{
    struct scene *s = *state;

    assert_int_equal(unpack(s), 0); /* the helper's program stays open */
    assert_unpacked(s);
    surroundings_take(&s->before);
    assert_int_equal(unpack(s), 0);
    assert_unpacked(s);
    surroundings_assert(&s->before, "sealed");
}

static void test_somebody_could_write(void **state)
{
    struct scene *s = *state;

    keep_for(TRIES + 1);
    assert_int_equal(unpack(s), -PVBOOT_E_SANDBOX);
    assert_int_equal(tries, TRIES);
    assert_string_equal(s->e.text, "the parser's output cannot be sealed: Device or resource busy");
    assert_null(s->k.elf.p);
    assert_non_null(kept);
    assert_memory_equal(kept, s->elf.p, PAGE); /* it was that memory, and could have been changed */
    kept[0] ^= 1;
    let_go();
    surroundings_assert(&s->before, "refused");
}

/* As a helper that is not confined by seccomp could. */
static void test_somebody_sealed_it(void **state)
{
    struct scene *s = *state;

    uncut = true;
    assert_int_equal(unpack(s), -PVBOOT_E_SANDBOX);
    assert_string_equal(s->e.text, "cutting the parser's output: Operation not permitted");
    surroundings_assert(&s->before, "refused");
}

/* Who only looks at a dying process keeps its memory for a moment. */
static void test_somebody_lets_go(void **state)
{
    struct scene *s = *state;

    keep_for(TRIES);
    assert_int_equal(unpack(s), 0);
    assert_int_equal(tries, TRIES);
    assert_null(kept);
    assert_unpacked(s);
}

static void assert_gets(struct scene *s, uint64_t off, size_t n)
{
    uint8_t *p = malloc(n);

    memset(p, 0xa5, n);
    assert_int_equal(s->k.elf_from.get(&s->k.elf_from, off, p, n, &s->e), 0);
    assert_memory_equal(p, s->elf.p + off, n);
    free(p);
}

/* An ELF with 8 MiB of zeroes between 1 MiB and 1 MiB of code, none of it where a page or a window of xz begins. */
static struct mk mostly_zeroes(size_t *from, size_t *to)
{
    struct mk elf = mk_elf(64, 10u << 20);

    *from = (1u << 20) + 777;
    *to = *from + (8u << 20);
    for (size_t i = elf.len / 2; i < elf.len; i++)
        elf.p[i] |= 1;
    for (size_t i = PAGE; i < *from; i++)
        elf.p[i] |= 1;
    memset(elf.p + *from, 0, *to - *from);
    elf.p[(*from + *to) / 2] = 1; /* a page that is zero but for this */
    return elf;
}

/* Where the host has shared memory in pages of 4 KiB, as it has unless it was told otherwise. */
static bool small_pages(void)
{
    FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "r");
    char line[128] = "";
    bool small = !f || !fgets(line, sizeof(line), f) || strstr(line, "[never]") || strstr(line, "[advise]");

    if (f)
        fclose(f);
    return small;
}

static size_t from, to; /* the zeroes */

static int setup_zeroes(void **state)
{
    struct scene *s = *state = &scene;

    *s = (struct scene){ .elf = mostly_zeroes(&from, &to) };
    pack(s, PVBOOT_CODEC_XZ);
    return 0;
}

/* Nobody has written them, and they take no memory: not when they are read either. */
static void test_zeroes(void **state)
{
    struct scene *s = *state;
    struct stat st;

    if (unpack(s))
        fail_msg("%s", s->e.text);
    assert_gets(s, 0, s->elf.len);
    assert_gets(s, from - 1, to - from + 2);
    assert_gets(s, s->elf.len - 1, 1);
    assert_int_equal(fstat(s->k.own_elf.memfd, &st), 0);
    if (small_pages())
        assert_in_range(st.st_blocks * 512, 1, s->elf.len - (to - from) + 3 * PAGE);
    assert_unpacked(s);
}

static void test_reading_fails(void **state)
{
    struct scene *s = *state;
    uint8_t byte;

    assert_int_equal(unpack(s), 0);
    pread_fails_with = EINTR;
    assert_gets(s, PAGE - 1, 2);
    assert_int_equal(pread_fails_with, 0);
    assert_int_equal(s->k.elf_from.get(&s->k.elf_from, s->elf.len, &byte, 1, &s->e), -PVBOOT_E_INTERNAL);
    s->e = (struct pvboot_error){ 0 };
    pread_fails_with = EIO;
    assert_int_equal(s->k.elf_from.get(&s->k.elf_from, 0, &byte, 1, &s->e), -PVBOOT_E_HOST);
    assert_string_equal(s->e.text, "reading the parser's output: Input/output error");
    assert_unpacked(s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nobody_can_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zeroes, setup_zeroes, teardown),
        cmocka_unit_test_setup_teardown(test_reading_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_somebody_could_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_somebody_sealed_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_somebody_lets_go, setup, teardown),
    };

    if (argc != 2)
        return 64;
    pvboot_confine_helper(argv[1], helper, sizeof(helper)); /* the real one, beside the attacking one */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
