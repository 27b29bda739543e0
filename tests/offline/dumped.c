/* SPDX-License-Identifier: LGPL-2.1-only */
#include "dumped.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAMES_MAX 32u

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    for (const uint8_t *b = p; n--; b++)
        h = (h ^ *b) * 0x100000001b3ull;
    return h;
}

/* Order of names does not matter: sums. */
static uint64_t file_digest(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    uint64_t h = mix(0xcbf29ce484222325ull, name, strlen(name));
    char buf[4096];
    ssize_t n;

    while ((n = read(fd, buf, sizeof(buf))) > 0)
        h = mix(h, buf, (size_t)n);
    close(fd);
    return h;
}

static DIR *open_dump(const char *carrier)
{
    const char *at = strstr(carrier, " dump=");
    char path[512];

    return at && sscanf(at, " dump=%511s", path) == 1 ? opendir(path) : NULL;
}

static uint64_t each(const char *carrier, bool clear)
{
    DIR *dir = open_dump(carrier);
    uint64_t sum = 0;
    struct dirent *d;

    while (dir && (d = readdir(dir)) != NULL)
        if (strcmp(d->d_name, ".") && strcmp(d->d_name, "..")) {
            sum += file_digest(dirfd(dir), d->d_name);
            if (clear)
                unlinkat(dirfd(dir), d->d_name, 0);
        }
    if (dir)
        closedir(dir);
    return sum;
}

void dumped_clear(const char *carrier)
{
    each(carrier, true);
}

uint64_t dumped_digest(const char *carrier)
{
    return each(carrier, false);
}

static struct {
    char name[NAMES_MAX][NAME_MAX + 1];
    size_t n;
} known;

bool dumped_hidden(const char *carrier)
{
    DIR *dir = open_dump(carrier);
    bool hidden = false;
    struct dirent *d;

    while (dir && (d = readdir(dir)) != NULL)
        hidden = hidden || (d->d_name[0] == '.' && strcmp(d->d_name, ".") && strcmp(d->d_name, ".."));
    if (dir)
        closedir(dir);
    return hidden;
}

void dumped_learn(const char *carrier)
{
    DIR *dir = open_dump(carrier);
    struct dirent *d;

    for (known.n = 0; dir && known.n < NAMES_MAX && (d = readdir(dir)) != NULL; known.n++)
        strcpy(known.name[known.n], d->d_name);
    if (dir)
        closedir(dir);
}

/* Of a whole dump, or the hidden name that such a file has until it is whole. */
static bool is_known(const char *name)
{
    char part[NAME_MAX + 8];

    for (size_t i = 0; i < known.n; i++) {
        snprintf(part, sizeof(part), ".%s.part", known.name[i]);
        if (!strcmp(part, name) || !strcmp(known.name[i], name))
            return true;
    }
    return false;
}

bool dumped_strange(const char *carrier)
{
    DIR *dir = open_dump(carrier);
    bool strange = false;
    struct dirent *d;

    while (dir && (d = readdir(dir)) != NULL)
        strange = strange || !is_known(d->d_name);
    if (dir)
        closedir(dir);
    return strange;
}
