/* SPDX-License-Identifier: LGPL-2.1-only */
#include "cli.h"

#include <stdio.h>

static const struct {
    const char *name;
    cli_main *main;
    const char *args, *help;
} verb[] = {
    { "inspect", cli_inspect, "[--json] [--sandbox MODE] [--kernel-max MiB] [--unpacked-max MiB] IMAGE... | --latest",
      "what the image is and which entries it offers" },
    { "plan", cli_plan, "[--json] [GUEST OPTIONS] IMAGE | --latest | --config FILE.cfg",
      "where everything would lie, and why" },
    { "dump", cli_dump, "[--json] [GUEST OPTIONS] -o DIR IMAGE | --latest | --config FILE.cfg",
      "the guest at its first instruction, as files" },
    { "decode", cli_decode,
      "[--json] [--check] [--base GPA] (--zero-page F | --start-info F | --setup-data F [--type N] | --running)",
      "what a guest was handed or read back, field by field, with what is wrong" },
    { "pack", cli_pack, "[--ramdisk F]... [--cmdline TEXT] [--stub F] [GUEST OPTIONS] -o IMAGE KERNEL",
      "in-guest stub, kernel, ramdisks and command line as one PVH kernel" },
    { "check", cli_check, "[--json] FILE.cfg...", "would xl create build these? A line each, without Xen" },
    { "diff", cli_diff, "[--json] A B", "what differs between two zero pages or two dumps; exit 1 if anything does" },
    { "cache", cli_cache, "add [--cache DIR] [--max MiB] [--kernel-max MiB] [--unpacked-max MiB] KERNEL...",
      "unpack kernels now that pvh and vmlinux64 guests will start" },
    { "cache", cli_cache, "list [--json] [--cache DIR]", "what is unpacked" },
    { "cache", cli_cache, "verify [--json] [--cache DIR] [--kernel-max MiB] [--unpacked-max MiB] [KERNEL...]",
      "is it still what the kernels unpack to?" },
    { "cache", cli_cache, "drop [--cache DIR] (--all | KERNEL...)", "forget it" },
    { "launch", cli_launch, "[OPTIONS] KERNEL | -f FILE",
      "make, build and start a domain without libxl; see pvboot launch --help" },
    { "list", cli_launch, "[--json]", "domains, and who made them" },
    { "destroy", cli_launch, "[--force] DOMAIN", "take one away that launch has made" },
};
#define VERBS (sizeof(verb) / sizeof(verb[0]))

/* What `pvboot VERB` takes. */
static int help_of(const char *name, struct pvboot_error *e)
{
    for (size_t i = 0; i < VERBS; i++)
        if (!strcmp(name, verb[i].name)) {
            printf("usage:\n  pvboot %s %s\n      %s\n\npvboot --help has the options; so has pvboot(1)\n", name,
                   verb[i].args, verb[i].help);
            return 0;
        }
    return pvb_fail(e, PVBOOT_E_USAGE, "unknown command '%s': see pvboot --help", name);
}

static int help(void)
{
    printf("usage:\n");
    for (size_t i = 0; i < VERBS; i++)
        printf("  pvboot %s %s\n      %s\n", verb[i].name, verb[i].args, verb[i].help);
    printf("  pvboot help [COMMAND]\n"
           "  pvboot --version | -V | --help | -h\n\n"
           "guest options:\n"
           "  --config FILE.cfg  kernel, ramdisks, memory and options as it has them; options beside it count instead\n"
           "  --entry ID         auto, pvh, linux32, linux64, vmlinux64, stub, pv\n"
           "  --memory MiB       default 1024\n"
           "  --vcpus N          default 1\n"
           "  --ramdisk FILE     repeatable: they are joined\n"
           "  --cmdline TEXT\n"
           "  --subarch pc|xen|N, --force-subarch\n"
           "  --hypervisor xen|none\n"
           "  --digests          tell the guest the SHA-256 of kernel, ramdisk and command line\n"
           "  --strict           leave out what the kernel does not list\n"
           "  --sandbox MODE     strict, best or off\n"
           "  --kernel-max MiB, --unpacked-max MiB, --ramdisk-max MiB   default 256, 512, 1024\n"
           "  --stub FILE        pack: another in-guest stub than the installed one\n"
           "  --rng-seed no|yes|HEX64   default no, so that the same input gives the same bytes\n\n"
           "sandbox: the kernel is parsed by a process that can do nothing else. MODE is\n"
           "  strict   refuse on a host that lacks a layer of it; the default, unless $PVBOOT_SANDBOX says otherwise\n"
           "  best     do without that layer and say so\n"
           "  off      parse in this process\n\n"
           "setup_data: GPA of the chain's head with --base, or one node's payload with --type.\n"
           "--latest: the newest kernel in /boot. An IMAGE called - is standard input.\n"
           "--running: the zero page of this machine's kernel.\n"
           "exit: 0, or the class of the error: 64 usage, 65 malformed, 66 unreadable, 67 unsupported, 68 limit,\n"
           "      69 does not fit, 70 internal, 71 host, 72 xen, 73 sandbox\n");
    return 0;
}

/* It has a program, and help, of its own. */
static bool is_elsewhere(const char *name)
{
    for (size_t i = 0; i < VERBS; i++)
        if (!strcmp(name, verb[i].name))
            return verb[i].main == cli_launch;
    return false;
}

static int run(int argc, char **argv, struct pvboot_error *e)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (!strcmp(name, "--help") || !strcmp(name, "-h") ||
        (argc == 3 && !strcmp(argv[2], "--help") && !is_elsewhere(name)))
        return help();
    if (!strcmp(name, "help"))
        return argc == 2 ? help() : help_of(argv[2], e);
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        printf("pvboot %s\n", PVBOOT_VERSION);
        return 0;
    }
    for (size_t i = 0; i < VERBS; i++)
        if (!strcmp(name, verb[i].name))
            return verb[i].main(argc - 1, argv + 1, e);
    if (!*name)
        return pvb_fail(e, PVBOOT_E_USAGE, "no command: see pvboot --help");
    return pvb_fail(e, PVBOOT_E_USAGE, "unknown command '%s': see pvboot --help", name);
}

/* Programs that asked for JSON get an error as JSON, too; the line on standard error stays. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--json"))
            return true;
    return false;
}

static void print_json_error(const struct pvboot_error *e)
{
    struct pvboot_error ignored = { 0 };

    (void)!cli_print_json(json_pack("{s:{s:s, s:i, s:s, s:s}}", "error", "class", pvboot_class_name(e->code), "exit",
                                    e->code, "file", e->file, "text", e->text),
                          &ignored);
}

int main(int argc, char **argv)
{
    struct pvboot_error e = { 0 };
    char line[sizeof(e.file) + sizeof(e.text) + 64];
    int rc = run(argc, argv, &e);
    bool said = cli_has_printed_json();

    if (!rc && (fflush(stdout) || ferror(stdout)))
        rc = pvb_fail(&e, PVBOOT_E_HOST, "cannot write to standard output");
    if (e.code && !said && wants_json(argc, argv))
        print_json_error(&e);
    if (e.code)
        fprintf(stderr, "%s\n", pvboot_error_line(&e, line, sizeof(line)));
    return rc < 0 ? -rc : rc;
}
