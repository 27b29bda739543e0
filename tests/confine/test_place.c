/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The helper with a guest's frames: what it may reach then, what it and its caller refuse, and that it is confined as
 * ever.  The guest's memory is a file of ours, which tests/fake/frames.c maps in place of Xen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../fake/frames.h"
#include "../unit/mkimage.h"
#include "surroundings.h"
#include "trial.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RAM_BYTES (64ull << 20)
#define TEXT 0x8000u
#define LOOK_MS 10

static char parser[4096];
static int memory;
static const struct pvboot_memmap map = { 1, { { 0, RAM_BYTES, PVBOOT_RAM } } };
static const struct pvboot_place there = { FAKE_DOMID, &map };

/* As a domain whose memory nobody has touched. */
static int new_guest(void **state)
{
    (void)state;
    return ftruncate(memory, 0) || ftruncate(memory, FAKE_TOUCHED_OFF + (off_t)FAKE_GFNS);
}

static bool touched(uint64_t gpa)
{
    uint8_t it = 0;

    assert_int_equal(pread(memory, &it, 1, FAKE_TOUCHED_OFF + (off_t)(gpa / FAKE_PAGE)), 1);
    return it;
}

static size_t all_touched(void)
{
    size_t n = 0;

    for (uint64_t gpa = 0; gpa < RAM_BYTES; gpa += FAKE_PAGE)
        n += touched(gpa);
    return n;
}

struct kernel {
    struct mk elf, image;
    struct pvboot_file file;
    struct pvboot_kernel k;
    struct pvboot_confine c;
};

/* A file of @x's that is held, where that can be. */
static void hold(struct kernel *x, const char *dir)
{
    struct pvboot_error e = { 0 };
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "%s/pvboot-place.XXXXXX", dir);
    fd = mkstemp(path);
    assert_int_equal(write(fd, x->image.p, x->image.len), x->image.len);
    close(fd);
    assert_int_equal(pvboot_file_hold(&x->file, path, PVBOOT_KERNEL_MAX, PVBOOT_SHOW_BEGINNING, &e), 0);
    unlink(path);
}

/* @dir NULL: a sealed copy. */
static void look_in(struct kernel *x, const char *dir)
{
    struct pvboot_error e = { 0 };
    struct mk payload;

    *x = (struct kernel){ .elf = mk_elf(64, TEXT) };
    payload = mk_pack(PVBOOT_CODEC_GZIP, &x->elf);
    x->image = mk_bzimage(&payload);
    mk_free(&payload);
    x->c = (struct pvboot_confine){ .helper = parser, .path = PVBOOT_PATH_PVH, .look = true };
    x->c.sandbox = PVBOOT_SANDBOX_BEST;
    if (dir)
        hold(x, dir);
    else
        assert_int_equal(pvboot_file_seal(&x->file, mk_bytes(&x->image), &e), 0);
    if (pvboot_kernel_confine(&x->k, &x->file, &x->c, &e))
        fail_msg("%s", e.text);
    assert_int_equal(x->k.n_seen, 2);
    assert_false(x->k.image.has_elf);
}

static void look(struct kernel *x)
{
    look_in(x, NULL);
}

static void done(struct kernel *x)
{
    pvboot_kernel_dispose(&x->k);
    pvboot_file_dispose(&x->file);
    mk_free(&x->image);
    mk_free(&x->elf);
}

static void placed(const char *dir)
{
    struct surroundings before;
    struct pvboot_error e = { 0 };
    struct kernel x;
    uint8_t *got = malloc(TEXT);
    size_t pages = 0;

    look_in(&x, dir);
    surroundings_take(&before);
    if (pvboot_kernel_place(&x.k, &x.file, &x.c, &there, &e))
        fail_msg("%s", e.text);
    surroundings_assert(&before, "placed");
    assert_true(x.k.placed && x.k.image.has_elf && x.k.image.elf.notes.has_phys32_entry);
    for (uint32_t i = 0; i < x.k.n_seen; i++) {
        const struct pvboot_load *l = &x.k.seen[i];

        assert_int_equal(pread(memory, got, l->file_bytes, (off_t)l->gpa), l->file_bytes);
        assert_memory_equal(got, x.elf.p + l->off, l->file_bytes);
        for (uint64_t at = l->gpa; at < l->gpa + l->file_bytes; at += FAKE_PAGE, pages++)
            assert_true(touched(at));
    }
    assert_int_equal(all_touched(), pages);
    assert_int_equal(pvboot_file_settle(&x.file, &e), 0);
    free(got);
    done(&x);
}

static void test_placed(void **state)
{
    (void)state;
    placed(NULL);
}

static void test_placed_from_a_file_that_is_held(void **state)
{
    placed("/tmp");
    assert_int_equal(new_guest(state), 0);
    placed("/dev/shm"); /* where every file has seals, of a kind */
}

/* Somebody waits to write to what is held: the lease goes, if not yet, and who is to unpack it is told to copy it first. */
static void test_writer_waits(void **state)
{
    char path[] = "/dev/shm/pvboot-place.XXXXXX";
    struct pvboot_error e = { 0 };
    struct kernel x;
    pid_t writer;
    int fd;

    (void)state;
    look_in(&x, NULL);
    pvboot_file_dispose(&x.file);
    fd = mkstemp(path);
    assert_int_equal(write(fd, x.image.p, x.image.len), x.image.len);
    close(fd);
    assert_int_equal(pvboot_file_hold(&x.file, path, PVBOOT_KERNEL_MAX, PVBOOT_SHOW_BEGINNING, &e), 0);
    if (!x.file.held)
        skip();
    writer = fork();
    if (!writer)
        _exit(open(path, O_WRONLY) < 0);
    for (int i = 0; fcntl(x.file.fd, F_GETLEASE) == F_RDLCK && i < 1000; i++)
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000 }, NULL);
    if (pvboot_kernel_place(&x.k, &x.file, &x.c, &there, &e) != PVBOOT_NOT_PLACED)
        fail_msg("%s", e.text);
    assert_int_equal(all_touched(), 0);
    assert_int_equal(pvboot_kernel_confine(&x.k, &x.file, &x.c, &e), 0);
    pvboot_file_dispose(&x.file);
    waitpid(writer, NULL, 0);
    unlink(path);
    done(&x);
}

static void test_other_segments_than_seen(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct pvboot_error e = { 0 };
        struct kernel x;

        look(&x);
        x.k.seen[1].mem_bytes += i == 0 ? FAKE_PAGE : 0;
        x.k.seen[1].gpa += i == 1 ? FAKE_PAGE : 0;
        x.k.n_seen -= i == 2;
        assert_int_equal(pvboot_kernel_place(&x.k, &x.file, &x.c, &there, &e), -PVBOOT_E_SANDBOX);
        assert_string_equal(e.text, "the confined parser's answer contradicts an earlier one: segments");
        assert_false(x.k.placed);
        done(&x);
    }
}

static void test_cannot_be_mapped(void **state)
{
    const struct pvboot_memmap small = { 1, { { 0, 0x1001000, PVBOOT_RAM } } };
    const struct pvboot_place none[] = { { FAKE_DOMID + 1, &map }, { FAKE_DOMID, &small } };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pvboot_error e = { 0 };
        struct kernel x;

        look(&x);
        assert_int_equal(pvboot_kernel_place(&x.k, &x.file, &x.c, &none[i], &e), PVBOOT_NOT_PLACED);
        assert_false(x.k.placed || x.k.image.has_elf || e.code);
        assert_int_equal(all_touched(), 0);
        done(&x);
    }
}

/* A pipe with @n bytes in it, whose other end is closed. */
static int pipe_with(const void *p, size_t n)
{
    int end[2], high;

    assert_int_equal(pipe2(end, O_CLOEXEC), 0);
    assert_int_equal(write(end[1], p, n), n);
    close(end[1]);
    high = fcntl(end[0], F_DUPFD_CLOEXEC, PVB_FDS + 1);
    close(end[0]);
    return high;
}

static struct pvb_frames good(void)
{
    return (struct pvb_frames){
        .domid = FAKE_DOMID, .n = 2, .bytes = 0x5000, .row = { { 0, 0x100000, 0x1000 }, { 0x2000, 0x200000, 0x2000 } }
    };
}

/* What a helper with @frames, or so much of them as @n bytes, does about @file. */
static int run(const char *helper, int file, const struct pvb_frames *frames, size_t n, struct pvboot_error *e)
{
    struct pvb_run r = {
        .helper = helper, .arg = { "best", "pvh" }, .errand = PVB_PLACE, .in = file, .wall_ms = 20000
    };
    struct pvb_answer a;
    int rc;

    r.out = pipe_with(frames, n);
    rc = pvb_run(&r, &a, e);
    close(r.out);
    if (rc)
        return rc;
    return pvb_fail_escaped(e, (enum pvboot_class)a.code, "%.*s", (int)sizeof(a.text), a.text);
}

static const struct bad {
    const char *name;
    uint32_t n;
    uint64_t bytes;
    struct pvb_frame_row second;
    const char *why;
} bad[] = {
    { "none", 0, 0x5000, { 0x2000, 0x200000, 0x2000 }, "number of rows" },
    { "one too many", PVBOOT_LOADS_MAX + 1, 0x5000, { 0x2000, 0x200000, 0x2000 }, "number of rows" },
    { "nothing unpacked", 2, 0, { 0x2000, 0x200000, 0x2000 }, "size of what is unpacked" },
    { "too much unpacked", 2, PVBOOT_UNPACKED_HARD_MAX + 1, { 0x2000, 0x200000, 0x2000 }, "size of what is unpacked" },
    { "an offset inside a page", 2, 0x5000, { 0x2008, 0x200000, 0x2000 }, "a row that is not whole pages" },
    { "an address inside a page", 2, 0x5000, { 0x2000, 0x200008, 0x2000 }, "a row that is not whole pages" },
    { "half a page", 2, 0x5000, { 0x2000, 0x200000, 0x800 }, "a row that is not whole pages" },
    { "empty", 2, 0x5000, { 0x2000, 0x200000, 0 }, "a row that is not whole pages" },
    { "over the first", 2, 0x5000, { 0, 0x200000, 0x2000 }, "a row out of order, over another or behind the end" },
    { "one page behind the end",
      2,
      0x5000,
      { 0x2000, 0x200000, 0x4000 },
      "a row out of order, over another or behind the end" },
    { "wraps in what is unpacked",
      2,
      0x5000,
      { 0x2000, 0x200000, 0xfffffffffffff000 },
      "a row out of order, over another or behind the end" },
    { "wraps in the guest", 2, 0x5000, { 0x2000, 0xfffffffffffff000, 0x2000 }, "a row that wraps" },
    { "the first one's frame", 2, 0x5000, { 0x2000, 0x100000, 0x2000 }, "a frame twice" },
    { "the first one's frame, as its second", 2, 0x5000, { 0x2000, 0xff000, 0x2000 }, "a frame twice" },
};

/* Exactly to the end of the page that the last byte is in. */
static const struct pvb_frame_row last = { 0x2000, 0x200000, 0x3000 };

static void test_bad_frames(void **state)
{
    struct kernel x;
    struct pvb_frames f = good();

    (void)state;
    look(&x);
    assert_null(pvb_frames_wrong(&f));
    f.row[1] = last;
    f.bytes = 0x4001;
    assert_null(pvb_frames_wrong(&f));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct pvboot_error e = { 0 };

        f = good();
        f.n = bad[i].n;
        f.bytes = bad[i].bytes;
        f.row[1] = bad[i].second;
        if (!pvb_frames_wrong(&f) || strcmp(pvb_frames_wrong(&f), bad[i].why))
            fail_msg("%s: %s", bad[i].name, pvb_frames_wrong(&f));
        if (run(parser, x.file.memfd, &f, sizeof(f), &e) != -PVBOOT_E_SANDBOX || !strstr(e.text, "code 64 and"))
            fail_msg("%s: %s", bad[i].name, e.text);
    }
    assert_int_equal(all_touched(), 0);
    done(&x);
}

static void test_cut_frames_and_files_that_may_change(void **state)
{
    const struct pvb_frames f = good();
    struct pvboot_error e = { 0 }, e2 = { 0 }, e3 = { 0 };
    int open_memory = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING), no_lease;
    char path[] = "/tmp/pvboot-place.XXXXXX";
    struct kernel x;

    (void)state;
    look(&x);
    assert_int_equal(run(parser, x.file.memfd, &f, sizeof(f) - 1, &e), -PVBOOT_E_SANDBOX);
    assert_non_null(strstr(e.text, "code 64 and"));
    assert_int_equal(ftruncate(open_memory, 4096), 0);
    assert_int_equal(run(parser, open_memory, &f, sizeof(f), &e2), -PVBOOT_E_SANDBOX);
    assert_non_null(strstr(e2.text, "code 64 and"));
    no_lease = mkstemp(path);
    assert_int_equal(write(no_lease, x.image.p, x.image.len), x.image.len);
    assert_int_equal(run(parser, no_lease, &f, sizeof(f), &e3), -PVBOOT_E_SANDBOX);
    assert_non_null(strstr(e3.text, "code 64 and"));
    assert_int_equal(all_touched(), 0);
    unlink(path);
    close(no_lease);
    close(open_memory);
    done(&x);
}

/* The attacker, confined around a guest's frames. */
static int attack(const char *name, struct pvboot_error *e)
{
    const struct pvb_frames f = good();
    struct pvboot_file order;
    int rc = trial_order(&order, name, PVB_LAYERS_ALL, e);

    if (!rc)
        rc = run(trial_helper, order.memfd, &f, sizeof(f), e);
    pvboot_file_dispose(&order);
    return rc;
}

static void test_attacks(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_attacks; i++) {
        struct pvboot_error e = { 0 };
        int rc = attack(attacks[i].name, &e);
        bool fault = !strcmp(attacks[i].name, "int80") && strstr(e.text, "died of SIGSEGV");

        if (rc != -PVBOOT_E_SANDBOX || (!fault && !strstr(e.text, "died of SIGSYS")))
            fail_msg("%s: %d %s", attacks[i].name, rc, e.text);
    }
}

static void test_tricks(void **state)
{
    static const char *const row[][2] = {
        { "nothing", "" },
        { "crash", "died of SIGSEGV" },
        { "spin", "died of SIGXCPU" },
        { "no_answer", "code 3" },
        { "outgrow_output", "died of SIGSYS" },
        { "long_answer", "more than one answer" },
        { "split_output", "died of SIGSYS" },
        { "move_output", "died of SIGSYS" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct surroundings before;
        struct pvboot_error e = { 0 };

        surroundings_take(&before);
        attack(row[i][0], &e);
        if (!strstr(e.text, row[i][1]))
            fail_msg("%s: %s", row[i][0], e.text);
        surroundings_assert_but_program(&before);
    }
}

/* What it may still do with memory is enough for the decoders. */
static void test_memory(void **state)
{
    struct pvboot_error e = { 0 };

    (void)state;
    if (attack("take_and_give_back", &e) != -PVBOOT_E_UNSUPPORTED)
        fail_msg("%s", e.text);
}

/* Of @pid's descriptors, which there are, a bit each. */
static unsigned descriptors_of(pid_t pid)
{
    struct dirent *d;
    unsigned have = 0;
    char path[64];
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    assert_non_null(dir);
    while ((d = readdir(dir)))
        if (*d->d_name != '.')
            have |= atoi(d->d_name) < 31 ? 1u << atoi(d->d_name) : 1u << 31;
    closedir(dir);
    return have;
}

static void test_descriptors_when_it_begins(void **state)
{
    struct pvboot_error e = { 0 };
    pid_t caller, child = 0;

    (void)state;
    if (geteuid())
        skip(); /* who is undumpable shows them to root alone */
    caller = fork();
    if (!caller)
        _exit(attack("spin", &e) != -PVBOOT_E_SANDBOX);
    for (int i = 0; !child && i < 1000; i++) {
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000 }, NULL);
        child = confined_child_of(caller);
    }
    assert_int_not_equal(child, 0);
    assert_int_equal(descriptors_of(child), 1u << PVB_FD_ANSWER);
    kill(caller, SIGKILL);
    waitpid(caller, NULL, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_placed, new_guest),
        cmocka_unit_test_setup(test_placed_from_a_file_that_is_held, new_guest),
        cmocka_unit_test_setup(test_writer_waits, new_guest),
        cmocka_unit_test_setup(test_other_segments_than_seen, new_guest),
        cmocka_unit_test_setup(test_cannot_be_mapped, new_guest),
        cmocka_unit_test_setup(test_bad_frames, new_guest),
        cmocka_unit_test_setup(test_cut_frames_and_files_that_may_change, new_guest),
        cmocka_unit_test_setup(test_attacks, new_guest),
        cmocka_unit_test_setup(test_tricks, new_guest),
        cmocka_unit_test_setup(test_memory, new_guest),
        cmocka_unit_test_setup(test_descriptors_when_it_begins, new_guest),
    };

    if (argc != 2)
        return 64;
    trial_helper = argv[1];
    snprintf(parser, sizeof(parser), "%.*s/tests/fake/pvboot-parse", (int)(strrchr(argv[1], '/') - argv[1]), argv[1]);
    memory = memfd_create("guest", MFD_CLOEXEC);
    if (memory < 0 || dup2(memory, FAKE_FRAMES_FD) < 0)
        return 70;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
