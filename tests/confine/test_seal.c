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

/* The kernel in @f, unpacked for its ELF, which the sealed output then holds. */
static int unpack(struct pvboot_kernel *k, const struct pvboot_file *f, struct pvboot_error *e)
{
    struct pvboot_confine c = { .helper = helper, .path = PVBOOT_PATH_VMLINUX64 };

    return pvboot_kernel_confine(k, f, &c, e);
}

static void packed_kernel(struct pvboot_file *f, struct mk *elf)
{
    struct pvboot_error e;
    struct mk packed, image;

    *elf = mk_elf(64, PAGE);
    packed = mk_pack(PVBOOT_CODEC_GZIP, elf);
    image = mk_bzimage(&packed);
    assert_int_equal(pvboot_file_seal(f, mk_bytes(&image), &e), 0);
    mk_free(&packed);
    mk_free(&image);
}

static void assert_unpacked(struct pvboot_kernel *k, const struct mk *elf)
{
    assert_int_equal(k->elf.len, elf->len);
    assert_memory_equal(k->elf.p, elf->p, elf->len);
    assert_true(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, k->own_elf.memfd, 0) == MAP_FAILED);
    pvboot_kernel_dispose(k);
}

static void test_nobody_can_write(void **state)
{
    struct pvboot_error e = { 0 };
    struct surroundings before;
    struct pvboot_kernel k;
    struct pvboot_file f;
    struct mk elf;

    (void)state;
    packed_kernel(&f, &elf);
    assert_int_equal(unpack(&k, &f, &e), 0); /* the helper's program stays open */
    assert_unpacked(&k, &elf);
    surroundings_take(&before);
    assert_int_equal(unpack(&k, &f, &e), 0);
    assert_unpacked(&k, &elf);
    surroundings_assert(&before, "sealed");
    pvboot_file_dispose(&f);
    mk_free(&elf);
}

static void test_somebody_could_write(void **state)
{
    struct pvboot_error e = { 0 };
    struct surroundings before;
    struct pvboot_kernel k;
    struct pvboot_file f;
    struct mk elf;

    (void)state;
    packed_kernel(&f, &elf);
    surroundings_take(&before);
    keep_for(TRIES + 1);
    assert_int_equal(unpack(&k, &f, &e), -PVBOOT_E_SANDBOX);
    assert_int_equal(tries, TRIES);
    assert_string_equal(e.text, "the parser's output cannot be sealed: Device or resource busy");
    assert_null(k.elf.p);
    assert_non_null(kept);
    assert_memory_equal(kept, elf.p, PAGE); /* it was that memory, and could have been changed */
    kept[0] ^= 1;
    keep = false;
    let_go();
    surroundings_assert(&before, "refused");
    pvboot_file_dispose(&f);
    mk_free(&elf);
}

/* As a helper that is not confined by seccomp could. */
static void test_somebody_sealed_it(void **state)
{
    struct pvboot_error e = { 0 };
    struct surroundings before;
    struct pvboot_kernel k;
    struct pvboot_file f;
    struct mk elf;

    (void)state;
    packed_kernel(&f, &elf);
    surroundings_take(&before);
    uncut = true;
    assert_int_equal(unpack(&k, &f, &e), -PVBOOT_E_SANDBOX);
    uncut = false;
    assert_string_equal(e.text, "cutting the parser's output: Operation not permitted");
    surroundings_assert(&before, "refused");
    pvboot_file_dispose(&f);
    mk_free(&elf);
}

/* Who only looks at a dying process keeps its memory for a moment. */
static void test_somebody_lets_go(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_kernel k;
    struct pvboot_file f;
    struct mk elf;

    (void)state;
    packed_kernel(&f, &elf);
    keep_for(TRIES);
    assert_int_equal(unpack(&k, &f, &e), 0);
    assert_int_equal(tries, TRIES);
    assert_null(kept);
    keep = false;
    assert_unpacked(&k, &elf);
    pvboot_file_dispose(&f);
    mk_free(&elf);
}

static void assert_gets(const struct pvboot_kernel *k, const struct mk *elf, uint64_t off, size_t n)
{
    struct pvboot_error e = { 0 };
    uint8_t *p = malloc(n);

    memset(p, 0xa5, n);
    assert_int_equal(k->elf_get(k, off, p, n, &e), 0);
    assert_memory_equal(p, elf->p + off, n);
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

/* Nobody has written them, and they take no memory: not when they are read either. */
static void test_zeroes(void **state)
{
    struct pvboot_error e = { 0 };
    struct mk elf, packed, image;
    struct pvboot_kernel k;
    struct pvboot_file f;
    size_t from, to;
    uint8_t byte;
    struct stat st;

    (void)state;
    elf = mostly_zeroes(&from, &to);
    packed = mk_pack(PVBOOT_CODEC_XZ, &elf);
    image = mk_bzimage(&packed);
    assert_int_equal(pvboot_file_seal(&f, mk_bytes(&image), &e), 0);
    if (unpack(&k, &f, &e))
        fail_msg("%s", e.text);
    assert_gets(&k, &elf, 0, elf.len);
    assert_gets(&k, &elf, from - 1, to - from + 2);
    assert_gets(&k, &elf, elf.len - 1, 1);
    pread_fails_with = EINTR;
    assert_gets(&k, &elf, PAGE - 1, 2);
    assert_int_equal(pread_fails_with, 0);
    assert_int_equal(fstat(k.own_elf.memfd, &st), 0);
    if (small_pages())
        assert_in_range(st.st_blocks * 512, 1, elf.len - (to - from) + 3 * PAGE);
    assert_int_equal(k.elf_get(&k, elf.len, &byte, 1, &e), -PVBOOT_E_INTERNAL);
    e = (struct pvboot_error){ 0 };
    pread_fails_with = EIO;
    assert_int_equal(k.elf_get(&k, 0, &byte, 1, &e), -PVBOOT_E_HOST);
    assert_string_equal(e.text, "reading the parser's output: Input/output error");
    pread_fails_with = 0;
    assert_unpacked(&k, &elf);
    pvboot_file_dispose(&f);
    mk_free(&image);
    mk_free(&packed);
    mk_free(&elf);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_can_write),     cmocka_unit_test(test_zeroes),
        cmocka_unit_test(test_somebody_could_write), cmocka_unit_test(test_somebody_sealed_it),
        cmocka_unit_test(test_somebody_lets_go),
    };

    if (argc != 2)
        return 64;
    pvboot_confine_helper(argv[1], helper, sizeof(helper)); /* the real one, beside the attacking one */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
