/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the process that reads a file has open while it does: a mount may hold it there until it goes. */
#include <fcntl.h>
#include <pvboot/file.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define FDS 64
#define OWN 3 /* the memory it reads to, its answer's pipe, the file */

static char path[] = "/tmp/pvboot-unit-reader.XXXXXX";
static pid_t tester;
static volatile uint8_t *open_in_reader; /* by descriptor: seen by who reads and by who waits */
static int file;

/* The reader's, too. */
ssize_t read(int fd, void *p, size_t n)
{
    if (getppid() == tester)
        for (int i = 0; i < FDS; i++)
            open_in_reader[i] = fcntl(i, F_GETFD) >= 0;
    return syscall(SYS_read, fd, p, n);
}

static int setup(void **state)
{
    (void)state;
    tester = getpid();
    open_in_reader = mmap(NULL, FDS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    file = mkstemp(path);
    return open_in_reader == MAP_FAILED || file < 0 || write(file, "kernel", 6) != 6 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    close(file);
    return unlink(path);
}

/* @own: of our descriptors, the one it keeps, or -1. */
static void reads(const char *name, int own)
{
    struct pvboot_error e = { 0 };
    struct pvboot_file f;
    int n = 0;

    memset((void *)open_in_reader, 0xff, FDS);
    if (pvboot_file_read(&f, name, 100, &e))
        fail_msg("%s: %s", name, e.text);
    assert_memory_equal(f.bytes.p, "kernel", 6);
    pvboot_file_dispose(&f);
    for (int i = 0; i < FDS; i++)
        n += open_in_reader[i];
    if (n != OWN + (own >= 0) || (own >= 0 && !open_in_reader[own]))
        fail_msg("%s: %d descriptors", name, n);
}

static void no_descriptor_of_its_callers(void **state)
{
    static const char *const before[] = { "", "/dev/..", "/proc/self/root", "/proc/self/fd/../root",
                                          "/dev/fd/../root" };
    char name[128];

    (void)state;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", before[i], path);
        reads(name, -1);
    }
}

static void but_the_one_it_is_to_read(void **state)
{
    static const char *const stem[] = { "/dev/fd/", "/proc/self/fd/" };
    char name[64];
    int in = dup(STDIN_FILENO);

    (void)state;
    for (size_t i = 0; i < sizeof(stem) / sizeof(stem[0]); i++) {
        snprintf(name, sizeof(name), "%s%d", stem[i], file);
        reads(name, file);
        snprintf(name, sizeof(name), "%s%d", stem[i], FDS - 1);
        assert_int_equal(dup2(file, FDS - 1), FDS - 1);
        reads(name, FDS - 1);
        close(FDS - 1);
    }
    assert_int_equal(dup2(file, STDIN_FILENO), STDIN_FILENO);
    reads("/dev/stdin", STDIN_FILENO);
    if (in >= 0)
        dup2(in, STDIN_FILENO);
    close(in);
}

/* None of them is one. */
static void what_is_no_descriptor(void **state)
{
    static const char *const name[] = { "/dev/fd/", "/dev/fd/x", "/proc/self/fd/999999999", "/proc/self/fd/4294967296",
                                        "/proc/self/fd/00000000000000000000000000" };
    struct pvboot_file f;

    (void)state;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        if (pvboot_file_read(&f, name[i], 100, NULL) != -PVBOOT_E_UNREADABLE)
            fail_msg("%s", name[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_descriptor_of_its_callers),
        cmocka_unit_test(but_the_one_it_is_to_read),
        cmocka_unit_test(what_is_no_descriptor),
    };

    return cmocka_run_group_tests_name("reader", tests, setup, teardown);
}
