/* SPDX-License-Identifier: LGPL-2.1-only */
/* Reading whole files, and the one line an error becomes. */
#include "builder/base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pvboot/file.h>
#include <pvboot/limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static pid_t tester;
static uint64_t *arrived; /* bytes, or signals: seen by who reads and by who waits */
static pid_t *reader;     /* likewise */
static bool immortal;
static char dir[] = "/tmp/pvboot-unit.XXXXXX";
static char path[64];

static int setup(void **state)
{
    (void)state;
    tester = getpid();
    arrived = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (arrived == MAP_FAILED)
        return -1;
    reader = (pid_t *)(arrived + 1);
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/kernel", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void write_file(const char *text, off_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static void refuses(const char *name, uint64_t max, int code, const char *says)
{
    struct pvboot_file f;
    struct pvboot_error e = { 0 };

    if (pvboot_file_read(&f, name, max, &e) != -code || !strstr(e.text, says))
        fail_msg("%s: %d, not %d: %s", name, e.code, code, e.text);
    assert_string_equal(e.file, name);
    assert_null(f.owned);
    assert_null(f.bytes.p);
}

static void reads_all_of_it(void **state)
{
    struct pvboot_file f;
    struct pvboot_error e = { 0 };

    (void)state;
    write_file("zero page", 9);
    assert_int_equal(pvboot_file_read(&f, path, 9, &e), 0); /* fits to the byte */
    assert_int_equal(f.bytes.len, 9);
    assert_memory_equal(f.bytes.p, "zero page", 9);
    pvboot_file_dispose(&f);
    pvboot_file_dispose(&f);
    assert_null(f.bytes.p);
    write_file("head", 5 << 20); /* large enough for huge pages, and no multiple of one */
    assert_int_equal(pvboot_file_read(&f, path, 1 << 30, &e), 0);
    assert_int_equal(f.bytes.len, 5 << 20);
    assert_memory_equal(f.bytes.p, "head\0", 5);
    assert_int_equal(f.bytes.p[f.bytes.len - 1], 0);
    pvboot_file_dispose(&f);
}

static void limits(void **state)
{
    (void)state;
    write_file("zero page", 9);
    refuses(path, 8, PVBOOT_E_LIMIT, "9 bytes, limit 8");
    write_file("", 1ll << 40); /* sparse: refused without reading it */
    refuses(path, 1 << 30, PVBOOT_E_LIMIT, "1099511627776 bytes, limit 1073741824");
}

static void unreadable(void **state)
{
    (void)state;
    write_file("", 0);
    refuses(path, 100, PVBOOT_E_UNREADABLE, "empty");
    refuses(dir, 100, PVBOOT_E_UNREADABLE, "not a regular file");
    refuses("/dev/zero", 100, PVBOOT_E_UNREADABLE, "not a regular file");
    refuses("/nonexistent/kernel", 100, PVBOOT_E_UNREADABLE, "No such file");
    refuses("", 100, PVBOOT_E_UNREADABLE, "No such file");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    alarm(5); /* a FIFO without a writer must not hang us */
    refuses(path, 100, PVBOOT_E_UNREADABLE, "not a regular file");
    alarm(0);
    unlink(path);
    assert_int_equal(symlink(path, path), 0);
    refuses(path, 100, PVBOOT_E_UNREADABLE, "Too many levels");
    unlink(path);
    assert_int_equal(symlink("/nonexistent", path), 0);
    refuses(path, 100, PVBOOT_E_UNREADABLE, "No such file");
    unlink(path);
}

static void no_descriptors(void **state)
{
    struct rlimit old, none;

    (void)state;
    write_file("zero page", 9);
    getrlimit(RLIMIT_NOFILE, &old);
    none = (struct rlimit){ .rlim_cur = 3, .rlim_max = old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    refuses(path, 100, PVBOOT_E_HOST, "Too many open files");
    setrlimit(RLIMIT_NOFILE, &old);
}

/* A descriptor that is left open would be the lowest free one no more. */
static void leaves_nothing_open(void **state)
{
    int before = dup(0), after;

    (void)state;
    close(before);
    unreadable(state);
    limits(state);
    after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

/* The builder's read() is this one: another process writes to the file meanwhile, and reads come in pieces. */
static int meddle;
enum { LEAVE, GROW, SHRINK, REWRITE, STALL, DIE, SIGNAL };
#define CHUNK 65536u /* a read of this size is the reader's, and no answer of its */
static uint64_t stalls_at;

ssize_t read(int fd, void *p, size_t n)
{
    const struct timespec past[2] = { { 1, 0 }, { 1, 0 } };

    if (meddle == GROW)
        assert_int_equal(truncate(path, 12), 0);
    if (meddle == SHRINK)
        assert_int_equal(truncate(path, 4), 0);
    if (meddle == REWRITE) /* a write within one tick of the clock would not show */
        assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    if (meddle == DIE && getppid() == tester)
        raise(SIGKILL);
    if (meddle == SIGNAL && getppid() == tester)
        raise(SIGUSR1);
    if (meddle == STALL && n == CHUNK) {
        *reader = getpid();
        while (*arrived >= stalls_at)
            pause();
        *arrived += n;
    }
    return syscall(SYS_read, fd, p, n > 3 && n < 4096 ? 3 : n);
}

/* And poll() this one: the time is up as soon as no more arrives. */
int poll(struct pollfd *p, nfds_t n, int ms)
{
    if (meddle != STALL || ms < (int)PVBOOT_STALL_MS / 2)
        return (int)syscall(SYS_poll, p, n, ms);
    while (*arrived < stalls_at)
        usleep(1000);
    usleep(50000); /* until it is written as well */
    return 0;
}

int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned int flags)
{
    if (immortal)
        return 0;
    return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, info, flags);
}

/* Of the private memory that @pid has open: blocks. */
static blkcnt_t memory_held(pid_t pid)
{
    blkcnt_t blocks = -1;
    struct stat st;
    char name[64];

    for (int fd = 0; fd < 64; fd++) {
        snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid, fd);
        if (!stat(name, &st) && S_ISREG(st.st_mode) && !st.st_nlink)
            blocks = st.st_blocks;
    }
    return blocks;
}

static void stalls(const char *what, uint64_t at)
{
    struct pvboot_file f;
    struct pvboot_error e = { 0 };

    *arrived = 0;
    stalls_at = at;
    meddle = STALL;
    assert_int_equal(pvboot_file_read(&f, path, 1 << 30, &e), -PVBOOT_E_UNREADABLE);
    meddle = LEAVE;
    assert_string_equal(e.text, what);
    assert_string_equal(e.file, path);
    assert_int_equal(waitpid(-1, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
}

/* Slow is all right, standing still is not. */
static void a_file_system_that_stalls(void **state)
{
    (void)state;
    write_file("kernel", 30 << 20);
    stalls("stalls: 0 bytes in 30000 ms, limit 8388608", 0);
    stalls("stalls: 1048576 bytes in 30000 ms, limit 8388608", 1 << 20);
    stalls("stalls: 0 bytes in 30000 ms, limit 8388608", 8 << 20); /* the first time it was enough */
}

/* A process that the kernel does not let end is not waited for, keeps no memory, and is reaped with a later one. */
static void a_reader_that_stays(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_file f;
    siginfo_t end = { 0 };

    (void)state;
    write_file("kernel", 30 << 20);
    immortal = true;
    stalls_at = 1 << 20;
    *arrived = 0;
    meddle = STALL;
    assert_int_equal(pvboot_file_read(&f, path, 1 << 30, &e), -PVBOOT_E_UNREADABLE);
    meddle = LEAVE;
    immortal = false;
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* a child, and alive */
    assert_int_equal(memory_held(*reader), 0);
    assert_int_equal(kill(*reader, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)*reader, &end, WEXITED | WNOWAIT), 0);
    e = (struct pvboot_error){ 0 };
    assert_int_equal(pvboot_file_read(&f, path, 1 << 30, &e), 0);
    pvboot_file_dispose(&f);
    assert_int_equal(waitpid(-1, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
}

/* Somebody kills it, or a host without memory does. */
static void the_reader_dies(void **state)
{
    (void)state;
    write_file("zero page", 9);
    meddle = DIE;
    refuses(path, 100, PVBOOT_E_HOST, "died");
    meddle = LEAVE;
}

static void handler(int sig)
{
    (void)sig;
    ++*arrived;
}

/* The caller's handlers, which know nothing of a second process, do not run in it. */
static void signals_are_not_the_readers(void **state)
{
    const struct sigaction on = { .sa_handler = handler }, off = { .sa_handler = SIG_DFL };
    struct pvboot_file f;
    struct pvboot_error e = { 0 };

    (void)state;
    write_file("zero page", 9);
    *arrived = 0;
    sigaction(SIGUSR1, &on, NULL);
    meddle = SIGNAL;
    assert_int_equal(pvboot_file_read(&f, path, 9, &e), 0);
    pvboot_file_dispose(&f);
    assert_int_equal(*arrived, 0);
    raise(SIGUSR1);
    assert_int_equal(*arrived, 1);
    meddle = LEAVE;
    sigaction(SIGUSR1, &off, NULL);
}

static void unchanged(void **state)
{
    struct pvboot_file f;
    struct pvboot_error e = { 0 };

    (void)state;
    write_file("zero page", 9);
    assert_int_equal(pvboot_file_read(&f, path, 100, &e), 0);
    assert_true(pvboot_file_unchanged(&f, path));
    assert_true(pvboot_file_unchanged(&f, path));
    assert_false(pvboot_file_unchanged(&f, dir));
    write_file("Zero page", 9);
    assert_false(pvboot_file_unchanged(&f, path));
    unlink(path);
    assert_false(pvboot_file_unchanged(&f, path));
    pvboot_file_dispose(&f);
}

/* Whoever has the file open for writing already leaves the reader without a lease: it must look for itself. */
static void changed_meanwhile(void **state)
{
    (void)state;
    for (int how = GROW; how <= REWRITE; how++) {
        int writer;

        write_file("zero page", 9);
        writer = open(path, O_WRONLY);
        meddle = how;
        refuses(path, 100, PVBOOT_E_UNREADABLE, "changed while being read");
        meddle = LEAVE;
        close(writer);
    }
}

/* Not every number has a text: file systems may make up their own. */
static void errnos(void **state)
{
    struct pvboot_error e = { 0 };

    (void)state;
    errno = ENOSPC;
    assert_int_equal(pvb_fail_errno(&e, PVBOOT_E_HOST, "write"), -PVBOOT_E_HOST);
    assert_string_equal(e.text, "write: No space left on device");
    e = (struct pvboot_error){ 0 };
    errno = 200;
    assert_int_equal(pvb_fail_errno(&e, PVBOOT_E_UNREADABLE, "open"), -PVBOOT_E_UNREADABLE);
    assert_string_equal(e.text, "open: errno 200");
}

static void classes(void **state)
{
    static const char *const name[] = { "usage", "malformed", "unreadable", "unsupported", "limit",
                                        "nofit", "internal",  "host",       "xen",         "sandbox" };

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_string_equal(pvboot_class_name(64 + i), name[i]);
    assert_string_equal(pvboot_class_name(0), "unknown");
    assert_string_equal(pvboot_class_name(74), "unknown");
}

static void one_line(void **state)
{
    struct pvboot_error e = { 0 };
    char line[600], small[20];

    (void)state;
    assert_int_equal(pvb_fail(&e, PVBOOT_E_LIMIT, "%u over\n%s", 7u, "\x1b[2J\xff"), -68);
    assert_string_equal(pvboot_error_line(&e, line, sizeof(line)), "pvboot: limit: 7 over\\x0a\\x1b[2J\\xff");
    assert_int_equal(pvb_fail(&e, PVBOOT_E_XEN, "later"), -68); /* the first wins */
    assert_int_equal(pvb_in_file(&e, "/boot/\nvmlinuz", -68), -68);
    assert_int_equal(pvb_in_file(&e, "/other", -68), -68);
    assert_string_equal(pvboot_error_line(&e, line, sizeof(line)),
                        "pvboot: limit: /boot/\\x0avmlinuz: 7 over\\x0a\\x1b[2J\\xff");
    assert_string_equal(pvboot_error_line(&e, small, sizeof(small)), "pvboot: limit: /boo");
    assert_int_equal(pvb_fail(NULL, PVBOOT_E_HOST, "nobody listens"), -71);
}

/* What a text says can be told from what it was made of: a backslash is two, and nothing is escaped twice. */
static void backslashes(void **state)
{
    static const struct {
        const char *raw, *shown;
    } row[] = {
        { "\\x1b", "\\\\x1b" }, { "\x1b", "\\x1b" }, { "\\", "\\\\" }, { "\\\x1b", "\\\\\\x1b" }, { "a\\b", "a\\\\b" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pvboot_error e = { 0 }, again = { 0 };

        pvb_fail(&e, PVBOOT_E_USAGE, "%s", row[i].raw);
        pvb_in_file(&e, row[i].raw, -PVBOOT_E_USAGE);
        assert_string_equal(e.text, row[i].shown);
        assert_string_equal(e.file, row[i].shown);
        assert_int_equal(pvb_fail_escaped(&again, PVBOOT_E_LIMIT, "line %u: %s", 9u, e.text), -PVBOOT_E_LIMIT);
        assert_string_equal(again.text + strlen("line 9: "), row[i].shown);
    }
}

/* Who says that a text has been escaped may lie. */
static void escaped_by_whom(void **state)
{
    struct pvboot_error e = { 0 };

    (void)state;
    pvb_fail_escaped(&e, PVBOOT_E_USAGE, "%s", "\x1b[2J\\\x1b\\x1\n\xff\\");
    assert_string_equal(e.text, "\\x1b[2J\\\\x1b\\x1\\x0a\\xff\\");
}

/* No text and no path is cut in the middle of an escape, wherever the cut falls. */
static void no_half_an_escape(void **state)
{
    (void)state;
    for (size_t at = 0; at < 8; at++) {
        struct pvboot_error e = { 0 }, again = { 0 };
        char big[2000], *p;

        memset(big, '\n', sizeof(big));
        memset(big, 'p', at);
        memset(big + sizeof(big) - 1 - at, 'p', at);
        big[sizeof(big) - 1] = 0;
        pvb_fail(&e, PVBOOT_E_USAGE, "%s", big);
        pvb_in_file(&e, big, -PVBOOT_E_USAGE);
        pvb_fail_escaped(&again, PVBOOT_E_USAGE, "%.*s%s", (int)at, "12345678", e.text);
        for (p = e.file + 3; *p == '\\'; p += 4)
            assert_memory_equal(p, "\\x0a", 4);
        assert_int_equal(strlen(p), at);
        for (p = e.text + at; *p; p += 4)
            assert_memory_equal(p, "\\x0a", 4);
        for (p = again.text + 2 * at; *p; p += 4)
            assert_memory_equal(p, "\\x0a", 4);
    }
}

static void success_names_no_file(void **state)
{
    struct pvboot_error e = { 0 };

    (void)state;
    assert_int_equal(pvb_in_file(&e, "/boot/vmlinuz", 0), 0);
    assert_string_equal(e.file, "");
}

static void long_texts_are_cut(void **state)
{
    struct pvboot_error e = { 0 };
    char big[5000];

    (void)state;
    memset(big, 'p', sizeof(big));
    big[sizeof(big) - 1] = 0;
    memcpy(big + sizeof(big) - 9, "/vmlinuz", 8);
    pvb_fail(&e, PVBOOT_E_USAGE, "%s", big);
    pvb_in_file(&e, big, -64);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    assert_int_equal(strlen(e.file), sizeof(e.file) - 1);
    assert_memory_equal(e.file, "...ppp", 6);
    assert_string_equal(e.file + sizeof(e.file) - 9, "/vmlinuz");
    memset(big, '\n', sizeof(big) - 1); /* four bytes each when escaped */
    e = (struct pvboot_error){ 0 };
    pvb_fail(&e, PVBOOT_E_USAGE, "%s", big);
    pvb_in_file(&e, big, -64);
    assert_string_equal(e.text + strlen(e.text) - 4, "\\x0a");
    assert_true(strlen(e.file) < sizeof(e.file));
    assert_null(strchr(e.file, '\n'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_of_it),
        cmocka_unit_test(limits),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(no_descriptors),
        cmocka_unit_test(leaves_nothing_open),
        cmocka_unit_test(changed_meanwhile),
        cmocka_unit_test(a_file_system_that_stalls),
        cmocka_unit_test(a_reader_that_stays),
        cmocka_unit_test(the_reader_dies),
        cmocka_unit_test(signals_are_not_the_readers),
        cmocka_unit_test(unchanged),
        cmocka_unit_test(errnos),
        cmocka_unit_test(classes),
        cmocka_unit_test(one_line),
        cmocka_unit_test(backslashes),
        cmocka_unit_test(escaped_by_whom),
        cmocka_unit_test(no_half_an_escape),
        cmocka_unit_test(success_names_no_file),
        cmocka_unit_test(long_texts_are_cut),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
