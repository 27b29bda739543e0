/* SPDX-License-Identifier: LGPL-2.1-only */
#include "launch.h"

#include <stdio.h>

static const struct {
    const char *name;
    launch_main *main;
} verb[] = {
    { "launch", launch_verb },
    { "list", launch_list },
    { "destroy", launch_destroy_verb },
};

static const char usage[] =
    "usage:\n"
    "  pvboot launch [OPTIONS] KERNEL | -f FILE    make, build and start a domain without libxl; prints its number\n"
    "  pvboot list [--json]                        domains, and who made them\n"
    "  pvboot destroy [--force] DOMAIN             take one away that launch has made; --force: any\n\n"
    "options of launch:\n"
    "  -f FILE            name=, memory=, kernel= ... as in an xl.cfg; the command line overrides\n"
    "  --name NAME, --uuid UUID, --seclabel LABEL, --cpus LIST\n"
    "  --memory MiB, --maxmem MiB, --vcpus N       default 1024, as memory, 1\n"
    "  --ramdisk FILE     repeatable: they are joined\n"
    "  --cmdline TEXT\n"
    "  --entry ID and the other guest options of pvboot plan\n"
    "  --timers           all devices that Xen emulates, for kernels without Xen support\n"
    "  --no-xenstore      as if there were no xenstored\n"
    "  --paused           do not start it yet\n"
    "  --console          stay attached to its console; ^] leaves\n"
    "  --wait             stay until it has ended\n"
    "  --on-poweroff, --on-reboot, --on-crash, --on-watchdog destroy|preserve|restart   default destroy; while "
    "waiting\n"
    "  --on-soft-reset destroy|preserve|restart|soft-reset   at a kexec; the last is the default: the guest goes on\n"
    "  --dry-run          the plan, as JSON; nothing is made\n"
    "  --dump DIR         what is, or would be, handed over, as pvboot dump\n"
    "  --json             what was made, as JSON\n\n"
    "exit: as pvboot; with --wait or --console how the guest ended: 0 power-off, 1 reboot, 2 suspend, 3 crash,\n"
    "      4 watchdog, 5 soft reset, 6 it was destroyed\n";

static int run(int argc, char **argv, struct pvboot_error *e)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (!strcmp(name, "--help") || !strcmp(name, "-h") || (argc == 3 && !strcmp(argv[2], "--help")))
        return fputs(usage, stdout) < 0;
    for (size_t i = 0; i < sizeof(verb) / sizeof(verb[0]); i++)
        if (!strcmp(name, verb[i].name))
            return verb[i].main(argc - 1, argv + 1, e);
    return pvb_fail(e, PVBOOT_E_USAGE, "unknown command '%s': see pvboot-launch --help", name);
}

int main(int argc, char **argv)
{
    struct pvboot_error e = { 0 };
    char line[sizeof(e.file) + sizeof(e.text) + 64];
    int rc;

    launch_signals();
    rc = run(argc, argv, &e);
    if ((fflush(stdout) || ferror(stdout)) && !e.code)
        rc = pvb_fail(&e, PVBOOT_E_HOST, "cannot write to standard output");
    if (e.code)
        fprintf(stderr, "%s\n", pvboot_error_line(&e, line, sizeof(line)));
    return rc < 0 ? -rc : rc;
}
