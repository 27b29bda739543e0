/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A file that is held: what is copied of it, what is read by its descriptor, and who may write to it when.  Where the
 * file system of /tmp grants no lease, or is none that is held on, there is nothing to be tested.
 */
#include "builder/file/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <pvboot/file.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES ((1u << 20) + 77)

static char dir[] = "/tmp/pvboot-hold.XXXXXX";
static char path[64];
static uint8_t was[BYTES]; /* in the file */

static unsigned int forked;

/* The builder's, too. */
pid_t _Fork(void)
{
    forked++;
    return (pid_t)syscall(SYS_fork);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/kernel", dir);
    for (size_t i = 0; i < BYTES; i++)
        was[i] = (uint8_t)(i % 251 + 1); /* never 0 */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static void write_file(void)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, was, BYTES), BYTES);
    close(fd);
}

static void hold(struct pvboot_file *f, enum pvboot_show show)
{
    struct pvboot_error e = { 0 };

    write_file();
    if (pvboot_file_hold(f, path, BYTES, show, &e))
        fail_msg("%s", e.text);
    assert_int_equal(f->bytes.len, BYTES);
    if (!f->held) {
        pvboot_file_dispose(f);
        skip();
    }
}

static void assert_gets_all(const struct pvboot_file *f)
{
    struct pvboot_source s = pvboot_file_source(f);
    uint8_t *got = malloc(BYTES);
    struct pvboot_error e = { 0 };

    assert_int_equal(s.get(&s, 0, got, BYTES, &e), 0);
    assert_memory_equal(got, was, BYTES);
    assert_int_equal(s.get(&s, 1, got, BYTES, &e), -PVBOOT_E_UNREADABLE); /* one byte too many */
    assert_string_equal(e.file, path);
    free(got);
}

/* Memory that is not there, as that of a guest that ends meanwhile or of a host that has none left: no signal. */
static void no_memory_to_read_to(void **state)
{
    void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct pvboot_error e = { 0 };
    struct pvboot_file f;
    struct pvboot_source s;

    (void)state;
    hold(&f, PVBOOT_SHOW_BEGINNING);
    s = pvboot_file_source(&f);
    assert_int_equal(s.get(&s, 0, nowhere, 4096, &e), -PVBOOT_E_HOST);
    assert_non_null(strstr(e.text, "4096 bytes of it"));
    munmap(nowhere, 4096);
    pvboot_file_dispose(&f);
}

static bool is_shown(const struct pvboot_file *f, size_t off)
{
    for (uint32_t i = 0; i < f->n_shown; i++)
        if (off >= f->shown[i].off && off < f->shown[i].off + f->shown[i].n)
            return true;
    return false;
}

static void assert_shown(const struct pvboot_file *f)
{
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(f->bytes.p[i], is_shown(f, i) ? was[i] : 0);
    assert_true(is_shown(f, 0) && is_shown(f, 1023));
    assert_int_equal(write(f->memfd, "x", 1), -1);
}

static void put(size_t off, size_t width, uint64_t v)
{
    memcpy(was + off, &v, width);
}

/*
 * Offsets and sizes of boot.rst: setup_sects, header, payload_offset, payload_length, kernel_info_offset.  What they point
 * to is shown, as far as there is such a thing; what is not is not there, and the copy cannot be changed.
 */
static void what_is_pointed_to_is_copied(void **state)
{
    static const struct {
        uint32_t payload, length, info;
        size_t first, second; /* in the file, the last byte of the payload and the first of kernel_info; 0: none */
    } row[] = {
        { 0x1000, 0x90000, 0xa0000, 5 * 512 + 0x90fff, 5 * 512 + 0xa0000 },
        { 0, 0, 0, 0, 0 },
        { 0x1000, 0x90000, BYTES, 5 * 512 + 0x90fff, 0 },
        { 0x1000, BYTES, 0xa0000, 0, 5 * 512 + 0xa0000 },
        { UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, 0 },
        { 0, BYTES - 5 * 512, BYTES - 5 * 512 - 1, BYTES - 1, BYTES - 1 },
    };
    struct pvboot_file f;

    (void)state;
    put(0x1f1, 1, 4);
    put(0x202, 4, 0x53726448);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        put(0x248, 4, row[i].payload);
        put(0x24c, 4, row[i].length);
        put(0x268, 4, row[i].info);
        for (enum pvboot_show show = PVBOOT_SHOW_HEADERS; show <= PVBOOT_SHOW_BEGINNING; show++) {
            hold(&f, show);
            assert_shown(&f);
            for (size_t at = 0; at < 4; at++)
                assert_true(!row[i].first ||
                            (is_shown(&f, row[i].first - at) && is_shown(&f, 5 * 512 + row[i].payload + at)));
            assert_true(!row[i].second || is_shown(&f, row[i].second));
            assert_true(f.shown[0].n + 4096 < BYTES);
            assert_int_equal(is_shown(&f, 0xffff), show == PVBOOT_SHOW_BEGINNING || row[i].payload == UINT32_MAX);
            assert_gets_all(&f);
            pvboot_file_dispose(&f);
            pvboot_file_dispose(&f);
        }
    }
    put(0x202, 4, 0); /* no header: nothing of it counts */
    hold(&f, PVBOOT_SHOW_BEGINNING);
    assert_shown(&f);
    assert_int_equal(f.n_shown, 1);
    pvboot_file_dispose(&f);
}

static void nothing_is_copied(void **state)
{
    struct pvboot_file f;

    (void)state;
    hold(&f, PVBOOT_SHOW_NOTHING);
    assert_int_equal(f.n_shown, 0);
    assert_int_equal(f.memfd, -1);
    assert_gets_all(&f);
    pvboot_file_dispose(&f);
}

/* Programs that are started do not inherit it; nobody is the target of its signal. */
static void descriptor(void **state)
{
    struct pvboot_file f;

    (void)state;
    hold(&f, PVBOOT_SHOW_BEGINNING);
    assert_true(f.fd > STDERR_FILENO);
    assert_int_equal(fcntl(f.fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(f.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(f.fd, F_GETLEASE), F_RDLCK);
    assert_int_not_equal(fcntl(f.fd, F_GETOWN), getpid());
    pvboot_file_dispose(&f);
}

/* Who opens it is this process, if its name leads to it from what the kernel knows; else another one. */
static void by_whom(void **state)
{
    char name[64], fifo[80], via[80];
    struct pvboot_error e = { 0 };
    struct pvboot_file f;
    uint64_t bytes = 0;
    int fd;

    (void)state;
    hold(&f, PVBOOT_SHOW_BEGINNING); /* also makes the name known */
    pvboot_file_dispose(&f);
    forked = 0;
    assert_int_equal(pvboot_file_hold(&f, path, BYTES, PVBOOT_SHOW_BEGINNING, &e), 0);
    assert_true(f.held && !forked);
    pvboot_file_dispose(&f);
    assert_int_equal(pvb_file_look(&bytes, path, BYTES, &e), 0);
    assert_true(bytes == BYTES && !forked);
    assert_int_equal(pvb_file_look(&bytes, path, BYTES - 1, NULL), -PVBOOT_E_LIMIT); /* says who would read it */
    assert_int_equal(forked, 1);

    snprintf(via, sizeof(via), "%s/link", dir);
    assert_int_equal(symlink("kernel", via), 0);
    assert_int_equal(pvb_file_look(&bytes, via, BYTES, &e), 0);
    assert_int_equal(pvb_file_look(&bytes, via, BYTES, &e), 0);
    assert_true(forked < 3);
    unlink(via);

    forked = 0;
    fd = open(path, O_RDONLY);
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    assert_int_equal(pvb_file_look(&bytes, name, BYTES, &e), 0);
    assert_int_equal(forked, 1);
    close(fd);
    assert_int_equal(pvb_file_look(&bytes, "/proc/self/status", BYTES, NULL), -PVBOOT_E_UNREADABLE); /* of no disk */
    assert_int_equal(forked, 2);

    snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(pvb_file_look(&bytes, fifo, BYTES, NULL), -PVBOOT_E_UNREADABLE);
    assert_int_equal(forked, 3);
    unlink(fifo);

    usleep(300000);
    fd = open(path, O_WRONLY); /* no lease is to be had: who reads it looks whether it is quiet */
    assert_int_equal(pvb_file_look(&bytes, path, BYTES, &e), 0);
    assert_int_equal(forked, 4);
    close(fd);
}

/* A caller without standard descriptors gets none of them. */
static void low_descriptors(void **state)
{
    struct pvboot_error e = { 0 };
    int in = dup(STDIN_FILENO);
    struct pvboot_file f;

    (void)state;
    hold(&f, PVBOOT_SHOW_BEGINNING);
    pvboot_file_dispose(&f);
    close(STDIN_FILENO);
    assert_int_equal(pvboot_file_hold(&f, path, BYTES, PVBOOT_SHOW_BEGINNING, &e), 0);
    dup2(in, STDIN_FILENO);
    close(in);
    assert_true(f.held && f.fd > STDERR_FILENO);
    assert_int_equal(fcntl(f.fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(f.fd, F_GETLEASE), F_RDLCK);
    pvboot_file_dispose(&f);
}

static pid_t start_writer(void)
{
    pid_t pid = fork();
    int fd;

    if (pid)
        return pid;
    fd = open(path, O_WRONLY); /* waits */
    _exit(fd < 0 || write(fd, "written", 7) != 7);
}

static unsigned int signalled;

static void count(int sig)
{
    (void)sig;
    signalled++;
}

/* He is not let in, and we are not signalled; afterwards he writes at once. */
static void writer_waits(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_file f;
    pid_t writer;
    int status;

    (void)state;
    for (int sig = 1; sig < NSIG; sig++)
        if (sig != SIGCHLD && sig != SIGALRM)
            signal(sig, count);
    hold(&f, PVBOOT_SHOW_BEGINNING);
    writer = start_writer();
    for (int i = 0; i < 5000 && fcntl(f.fd, F_GETLEASE) == F_RDLCK; i++)
        usleep(1000);
    assert_int_equal(fcntl(f.fd, F_GETLEASE), F_UNLCK);
    assert_false(pvboot_file_unchanged(&f, path)); /* no build is begun with it */
    assert_gets_all(&f);
    assert_int_equal(pvboot_file_settle(&f, &e), 0);
    assert_int_equal(signalled, 0);
    alarm(20); /* he would wait for 45 s */
    assert_int_equal(waitpid(writer, &status, 0), writer);
    alarm(0);
    assert_int_equal(status, 0);
    pvboot_file_dispose(&f);
    for (int sig = 1; sig < NSIG; sig++)
        if (sig != SIGCHLD && sig != SIGALRM)
            signal(sig, SIG_DFL);
}

/* The kernel takes a lease away from who keeps a writer waiting too long. */
static void lease_is_lost(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_file f;

    (void)state;
    hold(&f, PVBOOT_SHOW_BEGINNING);
    assert_int_equal(fcntl(f.fd, F_SETLEASE, F_UNLCK), 0);
    assert_int_equal(pvboot_file_settle(&f, &e), -PVBOOT_E_UNREADABLE);
    assert_string_equal(e.file, path);
    assert_int_equal(pvboot_file_copy(&f, &e), -PVBOOT_E_UNREADABLE);
    pvboot_file_dispose(&f);
}

/* Writers, open or with a mapping alone, leave nothing to hold: a copy is made. */
static void writers_first(void **state)
{
    for (int mapped = 0; mapped < 2; mapped++) {
        struct pvboot_error e = { 0 };
        struct pvboot_file f;
        void *p;
        int fd;

        (void)state;
        write_file();
        usleep(300000); /* quiet for long enough to be read without a lease */
        fd = open(path, O_RDWR);
        p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped)
            close(fd);
        assert_int_equal(pvboot_file_hold(&f, path, BYTES, PVBOOT_SHOW_BEGINNING, &e), 0);
        assert_false(f.held);
        assert_null(pvboot_file_source(&f).get);
        assert_memory_equal(f.bytes.p, was, BYTES);
        assert_int_equal(pvboot_file_settle(&f, &e), 0);
        pvboot_file_dispose(&f);
        munmap(p, BYTES);
        if (!mapped)
            close(fd);
    }
}

static void whole_copy(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_file f;

    (void)state;
    hold(&f, PVBOOT_SHOW_BEGINNING);
    assert_int_equal(pvboot_file_copy(&f, &e), 0);
    assert_false(f.held);
    assert_memory_equal(f.bytes.p, was, BYTES);
    assert_true(pvboot_file_unchanged(&f, path));
    assert_int_equal(pvboot_file_copy(&f, &e), 0);
    pvboot_file_dispose(&f);
}

static atomic_bool forking;

/* Children that do not call exec() for a while, as those that read files and load guests. */
static void *forks(void *none)
{
    while (forking) {
        pid_t child = fork();

        if (!child) {
            usleep(3000);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return none;
}

/* A library's caller may have threads: what their children have of ours must not keep the copy from being sealed. */
static void forks_meanwhile(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_file f;
    pthread_t thread[3];

    (void)state;
    hold(&f, PVBOOT_SHOW_BEGINNING);
    pvboot_file_dispose(&f);
    forking = true;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, forks, NULL), 0);
    for (int i = 0; i < 200; i++) {
        if (pvboot_file_hold(&f, path, BYTES, PVBOOT_SHOW_BEGINNING, &e))
            fail_msg("%s", e.text);
        pvboot_file_dispose(&f);
    }
    forking = false;
    for (size_t i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
}

/* Which all of a small file is already. */
static void whole_copy_of_little(void **state)
{
    struct pvboot_error e = { 0 };
    struct pvboot_file f;
    int memfd;

    (void)state;
    write_file();
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(pvboot_file_hold(&f, path, BYTES, PVBOOT_SHOW_BEGINNING, &e), 0);
    if (!f.held)
        skip();
    memfd = f.memfd;
    assert_int_equal(pvboot_file_copy(&f, &e), 0);
    assert_false(f.held);
    assert_int_equal(f.memfd, memfd);
    assert_null(pvboot_file_source(&f).get);
    assert_int_equal(f.bytes.len, 5000);
    assert_memory_equal(f.bytes.p, was, 5000);
    assert_int_equal(truncate(path, 0), 0); /* nobody waits for us any more */
    assert_memory_equal(f.bytes.p, was, 5000);
    pvboot_file_dispose(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_pointed_to_is_copied),
        cmocka_unit_test(nothing_is_copied),
        cmocka_unit_test(descriptor),
        cmocka_unit_test(no_memory_to_read_to),
        cmocka_unit_test(writer_waits),
        cmocka_unit_test(lease_is_lost),
        cmocka_unit_test(writers_first),
        cmocka_unit_test(whole_copy),
        cmocka_unit_test(whole_copy_of_little),
        cmocka_unit_test(forks_meanwhile),
        cmocka_unit_test(by_whom),
        cmocka_unit_test(low_descriptors),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
