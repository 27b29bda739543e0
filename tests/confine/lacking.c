/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * lacking LAYER PROGRAM [ARGUMENT...]: run PROGRAM on a host whose kernel lacks what that layer of the confinement is
 * made of.  For tests of whole programs.
 */
#include "surroundings.h"

#include <err.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *layer;
        void (*lack)(void);
    } known[] = {
        { "descriptors", lack_close_range },       { "limits", lack_limits },       { "user", lack_capset },
        { "death signal", lack_death_signal },     { "undumpable", lack_dumpable }, { "landlock", lack_landlock },
        { "no descriptors", lack_no_descriptors }, { "seccomp", lack_seccomp },
    };

    if (argc < 3)
        errx(64, "lacking LAYER PROGRAM [ARGUMENT...]");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!strcmp(argv[1], known[i].layer)) {
            known[i].lack();
            execvp(argv[2], argv + 2);
            err(70, "%s", argv[2]);
        }
    errx(64, "no layer '%s'", argv[1]);
}
