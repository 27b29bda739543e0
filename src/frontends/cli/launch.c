/* SPDX-License-Identifier: LGPL-2.1-only */
/* The verbs that need Xen are another program's, so that this one runs where there is none of its libraries. */
#include "../../sandbox/sandbox.h"
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

int cli_launch(int argc, char **argv, struct pvboot_error *e)
{
    char self[PATH_MAX] = "", path[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    (void)argc;
    self[n > 0 ? n : 0] = 0;
    pvb_program(self, "pvboot-launch", path, sizeof(path));
    execv(path, argv - 1); /* the verb included */
    return pvb_in_file(e, path,
                       pvb_fail(e, PVBOOT_E_HOST, "the program for '%s' does not start: errno %d", argv[0], errno));
}
