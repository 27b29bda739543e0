/* SPDX-License-Identifier: LGPL-2.1-only */
/* A dump into a directory that somebody else has prepared. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <pvboot/record.h>

#define NOBODY 65534

static const struct pvboot_machine machine = { .map = { .n = 1, .r = { { 0x1000, 0x40000000, PVBOOT_RAM } } } };

static const struct pvboot_plan plan = {
    .path = PVBOOT_PATH_LINUX32,
    .seg = { [PVBOOT_SEG_KERNEL] = { 0x1000000, 0x2000000, 0, "somewhere" },
             [PVBOOT_SEG_ZERO_PAGE] = { 0x2000, 0x3000, 0, "anywhere" },
             [PVBOOT_SEG_ACPI] = { 0xfc000000, 0xfc001000, 0, "not ours" } },
};

struct scene {
    char top[64], dir[80], path[96]; /* @path: of whatever a test plants in @dir */
    struct pvboot_record r;
    struct pvboot_error e;
};

static int setup_scene(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    if (!s)
        return -1;
    *state = s;
    strcpy(s->top, "/tmp/pvboot-test-record-XXXXXX");
    pvboot_record_init(&s->r, &machine, NULL);
    if (s->r.guest.ops->write(&s->r.guest, 0x1000000, "abc", 3, &s->e) ||
        s->r.guest.ops->write(&s->r.guest, 0x2000, "ab", 2, &s->e) || !mkdtemp(s->top))
        return -1;
    snprintf(s->dir, sizeof(s->dir), "%s/dir", s->top);
    snprintf(s->path, sizeof(s->path), "%s/kernel", s->dir);
    return mkdir(s->dir, 0755);
}

static int teardown_scene(void **state)
{
    struct scene *s = *state;
    char command[96];

    alarm(0);
    s->r.guest.ops->close(&s->r.guest);
    snprintf(command, sizeof(command), "rm -r %s", s->top);
    free(s);
    return system(command);
}

static int dump_scene(struct scene *s, const char *dir)
{
    static const struct pvboot_image img;

    alarm(10); /* a FIFO would hold us for ever */
    s->e = (struct pvboot_error){ 0 };
    return pvboot_record_dump(&s->r, &plan, &img, dir, &s->e);
}

/* @names, each with a space behind it, are all there is, and each is the dumper's own file for itself alone. */
static void check_names(const struct scene *s, const char *names)
{
    DIR *dir = opendir(s->dir);
    struct dirent *d;
    struct stat st;

    assert_non_null(dir);
    while ((d = readdir(dir)) != NULL) {
        char word[sizeof(d->d_name) + 1];

        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
            continue;
        snprintf(word, sizeof(word), "%s ", d->d_name);
        if (!strstr(names, word))
            fail_msg("%s is there", d->d_name);
        assert_int_equal(fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0600);
        assert_int_equal(st.st_uid, geteuid());
        assert_int_equal(st.st_nlink, 1);
    }
    closedir(dir);
}

static void check_refused(struct scene *s, const char *dir, const char *text)
{
    assert_int_equal(dump_scene(s, dir), -PVBOOT_E_HOST);
    if (!strstr(s->e.text, text))
        fail_msg("'%s', not '%s'", s->e.text, text);
    assert_string_equal(s->e.file, dir);
    check_names(s, "");
}

static void check_file(const char *path, const char *want)
{
    char got[64] = "";
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    assert_int_equal(fread(got, 1, sizeof(got) - 1, f), strlen(want));
    assert_string_equal(got, want);
    fclose(f);
}

static void directory_of_others(void **state)
{
    struct scene *s = *state;
    char text[64];

    assert_int_equal(chmod(s->dir, 01777), 0); /* as /tmp has */
    check_refused(s, s->dir, "others may write to the directory: mode 1777");
    for (mode_t mode = 0772; mode <= 0777; mode++) {
        assert_int_equal(chmod(s->dir, mode), 0);
        snprintf(text, sizeof(text), "others may write to the directory: mode 0%o", mode);
        if (mode & 022)
            check_refused(s, s->dir, text);
    }
    assert_int_equal(chmod(s->dir, 0755), 0);
    if (geteuid())
        return;
    assert_int_equal(chown(s->dir, NOBODY, NOBODY), 0);
    check_refused(s, s->dir, "the directory is user 65534's, not user 0's");
    assert_int_equal(chown(s->dir, 0, NOBODY), 0);
    assert_int_equal(dump_scene(s, s->dir), 0);
}

static void directory_by_a_link(void **state)
{
    static const char *const ending[] = { "", "/", "///", "/.", "/./", "/.//." };
    struct scene *s = *state;
    char link[80], path[96];

    snprintf(link, sizeof(link), "%s/link", s->top);
    assert_int_equal(symlink("dir", link), 0);
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", link, ending[i]);
        check_refused(s, path, "not a directory, or a symbolic link");
    }
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink("nothing", link), 0);
    check_refused(s, link, "not a directory, or a symbolic link");
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", s->dir, ending[i]);
        assert_int_equal(dump_scene(s, path), 0);
    }
    snprintf(path, sizeof(path), "%s/made/./", s->top);
    assert_int_equal(dump_scene(s, path), 0);
}

static void planted_file(void **state)
{
    static const mode_t mode[] = { 0666, 04777 };
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof(mode) / sizeof(mode[0]); i++) {
        int fd = open(s->path, O_CREAT | O_RDWR, 0600);
        char got[4] = "";

        assert_int_equal(write(fd, "old", 3), 3);
        assert_int_equal(fchmod(fd, mode[i]), 0);
        if (!geteuid())
            assert_int_equal(fchown(fd, NOBODY, NOBODY), 0);
        assert_int_equal(dump_scene(s, s->dir), 0);
        check_names(s, "kernel zero-page manifest.json ");
        check_file(s->path, "abc");
        assert_int_equal(pread(fd, got, 3, 0), 3); /* who has it open sees what it was */
        assert_string_equal(got, "old");
        close(fd);
    }
}

static void planted_fifo(void **state)
{
    struct scene *s = *state;

    assert_int_equal(mkfifo(s->path, 0666), 0);
    assert_int_equal(dump_scene(s, s->dir), 0);
    check_names(s, "kernel zero-page manifest.json ");
    snprintf(s->path, sizeof(s->path), "%s/.kernel.part", s->dir);
    assert_int_equal(mkfifo(s->path, 0666), 0);
    assert_int_equal(dump_scene(s, s->dir), 0);
    check_names(s, "kernel zero-page manifest.json ");
}

static void planted_links(void **state)
{
    static const char *const name[] = { "kernel", "manifest.json", ".kernel.part", ".manifest.json.part" };
    struct scene *s = *state;
    char other[80];
    FILE *f;

    snprintf(other, sizeof(other), "%s/other", s->top);
    for (size_t i = 0; i < 2 * sizeof(name) / sizeof(name[0]); i++) {
        f = fopen(other, "w");
        assert_true(f && fputs("other", f) >= 0 && !fclose(f));
        snprintf(s->path, sizeof(s->path), "%s/%s", s->dir, name[i / 2]);
        unlink(s->path);
        assert_int_equal(i % 2 ? symlink("../other", s->path) : link(other, s->path), 0);
        assert_int_equal(dump_scene(s, s->dir), 0);
        check_names(s, "kernel zero-page manifest.json ");
        check_file(other, "other");
    }
}

/* What pvboot names and this plan has not goes; what pvboot does not name stays. */
static void leftovers(void **state)
{
    static const char *const name[] = { "ramdisk", "page-tables", "acpi", ".ramdisk.part", ".manifest.json.part" };
    struct scene *s = *state;

    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        snprintf(s->path, sizeof(s->path), "%s/%s", s->dir, name[i]);
        close(open(s->path, O_CREAT | O_WRONLY, 0600));
    }
    snprintf(s->path, sizeof(s->path), "%s/notes.txt", s->dir);
    close(open(s->path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(dump_scene(s, s->dir), 0);
    check_names(s, "kernel zero-page manifest.json notes.txt ");
    assert_int_equal(access(s->path, F_OK), 0);
}

/* A dump that fails has no manifest of an earlier one, and nothing half. */
static void cut_short(void **state)
{
    struct scene *s = *state;
    char file[96];

    assert_int_equal(dump_scene(s, s->dir), 0);
    snprintf(file, sizeof(file), "%s/zero-page", s->dir);
    assert_int_equal(unlink(file) || mkdir(file, 0700), 0);
    assert_int_equal(dump_scene(s, s->dir), -PVBOOT_E_HOST);
    assert_string_equal(s->e.file, file);
    assert_int_equal(rmdir(file), 0);
    check_names(s, "kernel ");
}

int main(void)
{
#define SCENE(f) cmocka_unit_test_setup_teardown(f, setup_scene, teardown_scene)
    const struct CMUnitTest tests[] = {
        SCENE(directory_of_others), SCENE(directory_by_a_link), SCENE(planted_file), SCENE(planted_fifo),
        SCENE(planted_links),       SCENE(leftovers),           SCENE(cut_short),
    };

    return cmocka_run_group_tests_name("dump_dir", tests, NULL, NULL);
}
