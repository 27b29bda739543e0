/* SPDX-License-Identifier: LGPL-2.1-only */
/* Shows files, and the files of directories, to a fuzz target, one after the other: a corpus as a test, in TAP. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* In exactly as much memory as it takes, so that a sanitizer sees one byte too far. */
static int show_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *p;
    int bad;

    if (!f || fstat(fileno(f), &st)) {
        perror(path);
        return -1;
    }
    p = malloc((size_t)st.st_size);
    bad = fread(p, 1, (size_t)st.st_size, f) != (size_t)st.st_size;
    fclose(f);
    if (!bad)
        LLVMFuzzerTestOneInput(p, (size_t)st.st_size);
    free(p);
    return bad ? -1 : 1;
}

/* How many inputs it was; -1: it could not be read. */
static int show(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    int n = 0;

    if (!d)
        return show_file(path);
    while (n >= 0 && (e = readdir(d))) {
        char name[4096];
        int got;

        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        got = show(name);
        n = got < 0 ? -1 : n + got;
    }
    closedir(d);
    return n;
}

int main(int argc, char **argv)
{
    int bad = 0;

    for (int i = 1; i < argc; i++) {
        int n = show(argv[i]);

        printf("%sok %d - %s: %d inputs\n", n > 0 ? "" : "not ", i, argv[i], n);
        bad |= n <= 0;
    }
    return bad;
}
