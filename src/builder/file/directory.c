/* SPDX-License-Identifier: LGPL-2.1-only */
/* A directory that stands for its files, as fragments of one ramdisk do. */
#include "file.h"

#include <pvboot/file.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NAMES_MAX 64u /* far more than a caller has room for: it is told the number */

struct names {
    char *name[NAMES_MAX];
    uint32_t n;
};

/* In the order of the C locale, whatever the caller's is. */
static int insert(struct names *all, const char *name)
{
    char *copy = strdup(name);
    uint32_t i = all->n;

    if (!copy)
        return -1;
    for (; i && strcmp(all->name[i - 1], copy) > 0; i--)
        all->name[i] = all->name[i - 1];
    all->name[i] = copy;
    all->n++;
    return 0;
}

static int list(struct names *all, const char *path, struct pvboot_error *e)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int rc = 0;

    if (!dir)
        return pvb_fail_errno(e, PVBOOT_E_UNREADABLE, "opening the directory");
    while (!rc && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (all->n == NAMES_MAX)
            rc = pvb_fail(e, PVBOOT_E_LIMIT, "a directory of more than %u files", NAMES_MAX);
        else if (insert(all, entry->d_name))
            rc = pvb_fail(e, PVBOOT_E_HOST, "no memory for a directory's names");
    }
    closedir(dir);
    return rc;
}

/* Where what becomes of each file goes: one of the two. */
struct found {
    struct pvboot_file *file;
    uint64_t *bytes;
    uint32_t room;
    uint64_t max;
};

static int take(const struct found *to, uint32_t i, const char *path, struct pvboot_error *e)
{
    if (to->file)
        return pvboot_file_read(&to->file[i], path, to->max, e);
    return pvb_file_look(&to->bytes[i], path, to->max, e);
}

static int take_each(const struct found *to, uint32_t *n, const struct names *all, const char *path,
                     struct pvboot_error *e)
{
    char name[PATH_MAX];
    int rc = 0;

    for (uint32_t i = 0; !rc && i < all->n; i++) {
        if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, all->name[i]) >= sizeof(name))
            return pvb_in_file(e, path, pvb_fail(e, PVBOOT_E_UNREADABLE, "a name in it is too long"));
        rc = take(to, i, name, e);
        *n += !rc;
    }
    return rc;
}

/* On a mount that does not answer nobody but a child may wait: what it has said is all there is. */
static bool stalled(const struct pvboot_error *e)
{
    return !strncmp(e->text, "stalls", strlen("stalls"));
}

static bool is_directory(const char *path)
{
    struct stat st;

    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int take_directory(const struct found *to, uint32_t *n, const char *path, struct pvboot_error *e)
{
    struct names all = { 0 };
    int rc = list(&all, path, e);

    if (!rc && !all.n)
        rc = pvb_fail(e, PVBOOT_E_UNREADABLE, "a directory without files");
    if (!rc && all.n > to->room)
        rc = pvb_fail(e, PVBOOT_E_LIMIT, "a directory of %u files, room for %u", all.n, to->room);
    rc = rc ? pvb_in_file(e, path, rc) : take_each(to, n, &all, path, e);
    for (uint32_t i = 0; i < all.n; i++)
        free(all.name[i]);
    return rc;
}

static int take_all(const struct found *to, uint32_t *n, const char *path, struct pvboot_error *e)
{
    int rc;

    *n = 0;
    if (!to->room)
        return pvb_in_file(e, path, pvb_fail(e, PVBOOT_E_LIMIT, "one file too many"));
    rc = take(to, 0, path, e);
    *n = !rc;
    if (rc != -PVBOOT_E_UNREADABLE || stalled(e) || !is_directory(path))
        return rc;
    *e = (struct pvboot_error){ 0 };
    return take_directory(to, n, path, e);
}

int pvboot_files_read(struct pvboot_file *f, uint32_t room, uint32_t *n, const char *path, uint64_t max,
                      struct pvboot_error *e)
{
    return take_all(&(struct found){ .file = f, .room = room, .max = max }, n, path, e);
}

int pvb_files_look(uint64_t *bytes, uint32_t room, uint32_t *n, const char *path, uint64_t max, struct pvboot_error *e)
{
    return take_all(&(struct found){ .bytes = bytes, .room = room, .max = max }, n, path, e);
}
