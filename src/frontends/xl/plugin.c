/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Getting into a stock xl and no further: registers with libxenguest's own registry when that library is there and is
 * one whose structures we know.  A program that is linked to it, as xl is, has it when we are loaded; one that opens it
 * later (libvirtd, a Python binding) has it at the first of our functions that it calls.
 *
 * A program that has the library is where we were meant to get to: there we leave LD_PRELOAD, whether or not we can work
 * there, and no child inherits us.  A program without it passes us on in silence, since nothing tells a shell script in
 * front of xl, as Debian's /usr/sbin/xl is, from any other program.
 */
#include "xl.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define STUB_FILE "pvboot-stub.elf"

static const char *command = "";
static bool dry_run;
static char self_path[PATH_MAX], stub_path[PATH_MAX], helper_path[PATH_MAX];
static char refusal[PATH_MAX + 80]; /* "": none; constant once it has been decided */
static bool at_start = true;        /* in the constructor */

const char *pvb_stub_path(void)
{
    return stub_path;
}

const char *pvb_helper_path(void)
{
    return helper_path;
}

const char *pvb_command(void)
{
    return command;
}

bool pvb_dry_run(void)
{
    return dry_run;
}

int pvb_report(const struct pvboot_error *e)
{
    char line[640];

    fprintf(stderr, "%s\n", pvboot_error_line(e, line, sizeof(line)));
    return -1;
}

/*
 * struct xc_dom_image has one layout from 4.15 to 4.22, whose memflags at its end no xl sets; before, it
 * embeds another structure, later it is unknown.
 * The version is the library's SONAME.  @why: stays as it is when this one is known.
 */
static void check_layout(void *symbol, char *why, size_t n)
{
    static const char stem[] = "libxenguest.so.4.";
    const char *name;
    Dl_info info;
    long minor;

    if (!dladdr(symbol, &info) || !info.dli_fname) {
        snprintf(why, n, "which domain builder this program has cannot be told");
        return;
    }
    name = strstr(info.dli_fname, stem);
    minor = name ? strtol(name + strlen(stem), NULL, 10) : 0;
    if (minor < 15 || minor > 22)
        snprintf(why, n, "%s: its domain builder is not one of 4.15 to 4.22", info.dli_fname);
}

/* Remove our own entry from LD_PRELOAD: qemu, hotplug scripts and bootloaders are no place for us. */
static void leave_environment(void)
{
    const char *value = getenv("LD_PRELOAD");
    char *rest = value ? calloc(1, strlen(value) + 1) : NULL, *copy = value ? strdup(value) : NULL, *save = NULL;

    if (rest && copy) {
        for (char *item = strtok_r(copy, ": ", &save); item; item = strtok_r(NULL, ": ", &save)) {
            const char *base = strrchr(item, '/');

            if (!strcmp(base ? base + 1 : item, "pvboot-xl.so"))
                continue;
            if (rest[0])
                strcat(rest, ":");
            strcat(rest, item);
        }
        if (rest[0] || !at_start)
            setenv("LD_PRELOAD", rest, 1); /* an empty one does nothing; threads may be looking by now */
        else
            unsetenv("LD_PRELOAD");
    }
    free(copy);
    free(rest);
}

static void find_self(void)
{
    Dl_info info;
    char *slash;

    if (!dladdr((void *)find_self, &info) || !realpath(info.dli_fname, self_path))
        return;
    slash = strrchr(self_path, '/');
    snprintf(stub_path, sizeof(stub_path), "%.*s/%s", (int)(slash - self_path), self_path, STUB_FILE);
    pvboot_confine_helper(self_path, helper_path, sizeof(helper_path));
}

/* -n, --dryrun or xl's own -N, alone or as getopt_long() also takes them. */
static bool is_dry_run(const char *word)
{
    return word[0] == '-' && (word[1] == '-' ? !strncmp(word, "--dr", 4) : strpbrk(word, "nN") != NULL);
}

static void find_command(int argc, char **argv)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-')
        i++;
    if (i < argc)
        command = argv[i];
    for (i = 1; i < argc; i++)
        dry_run |= is_dry_run(argv[i]);
}

/*
 * ld.so is asked everything before our lock is taken: it may be running, under locks of its own, a constructor that
 * comes here.  libxenguest's lists are last in, first out, so our loader is asked before its own, whenever we come.
 */
const char *pvb_refusal(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static _Atomic bool decided;
    __typeof__(&xc_dom_register_loader) loader;
    __typeof__(&xc_dom_register_arch_hooks) hooks;
    char why[sizeof(refusal)] = "";

    if (decided)
        return refusal[0] ? refusal : NULL;
    loader = PVB_FIND(xc_dom_register_loader);
    hooks = PVB_FIND(xc_dom_register_arch_hooks);
    if (!loader || !hooks)
        return "this program has no libxenguest to register a domain builder with";
    check_layout((void *)loader, why, sizeof(why));
    pthread_mutex_lock(&lock);
    if (!decided) {
        leave_environment();
        snprintf(refusal, sizeof(refusal), "%s", why);
        if (!why[0]) {
            pvboot_confine_prepare(helper_path);
            loader(&pvb_loader);
            hooks(&pvb_arch_hooks);
        }
        decided = true;
    }
    pthread_mutex_unlock(&lock);
    return refusal[0] ? refusal : NULL;
}

/* Runs after the constructors of the libraries the program is linked to. glibc gives it main()'s arguments. */
__attribute__((constructor)) static void pvboot_xl_init(int argc, char **argv)
{
    find_self();
    find_command(argc, argv);
    (void)pvb_refusal();
    at_start = false;
}
