/* SPDX-License-Identifier: LGPL-2.1-only */
#include "launch.h"

#include <stdio.h>

static const char usage[] =
    "usage: pvboot-init-xenstore-domain --kernel FILE --memory MB [OPTIONS]\n\n"
    "  --kernel FILE      what the domain runs, mandatory\n"
    "  --memory MB        mandatory\n"
    "  --flask LABEL      of XSM FLASK\n"
    "  --ramdisk FILE\n"
    "  --param TEXT       its command line, behind --event N\n"
    "  --name NAME        default: Xenstore\n"
    "  --maxmem MB|A/B|MB:A/B   most memory: a number, a fraction of the host's, or the greater of both\n"
    "  --entry ID         how the kernel is started, as for pvboot plan; default: auto\n"
    "  -v                 what it is doing, and what the domain says on its console; -vv, -vvv: libxenctrl's words "
    "too\n";

int main(int argc, char **argv)
{
    struct pvboot_error e = { 0 };
    char line[sizeof(e.file) + sizeof(e.text) + 64];
    int rc;

    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        return fputs(usage, stdout) < 0;
    launch_signals();
    rc = launch_storedom(argc, argv, &e);
    if (e.code)
        fprintf(stderr, "%s\n", pvboot_error_line(&e, line, sizeof(line)));
    return rc < 0 ? -rc : rc;
}
