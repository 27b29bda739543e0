/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Everything a parser that has been taken over might try, from inside the helper's own confinement: each must end in
 * SIGSYS.  Then once more without each layer, to see which others still hold; the table says how.  An attack counts
 * only where it was made: a helper that refused to run proves nothing.
 */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LEAST 40u
#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static unsigned number, failed;

static bool ok(bool good, const char *what, const char *name, const char *got)
{
    failed += !good;
    printf("%sok %u - %s: %s%s%s\n", good ? "" : "not ", ++number, name, what, good ? "" : ": ", good ? "" : got);
    return good;
}

/* "SIGSYS", "OPEN", an errno's name, "refused" to run without a layer it should have, or whatever else it said. */
static void attack(const char *name, uint32_t layers, char *got, size_t n)
{
    struct pvboot_error e = { 0 };
    int rc = trial(name, layers, PVBOOT_SANDBOX_STRICT, NULL, &e);

    if (rc == -PVBOOT_E_SANDBOX && strstr(e.text, "died of SIG"))
        sscanf(strstr(e.text, "SIG"), "%15[A-Z]", got);
    else if (rc == -PVBOOT_E_SANDBOX && strstr(e.text, "has no layer"))
        snprintf(got, n, "refused");
    else
        snprintf(got, n, "%s", rc ? e.text : "accepted");
}

/* Open in us, not close-on-exec, and no business of the helper's. */
static void plant(void)
{
    int file = open("/dev/zero", O_RDWR), s = socket(AF_UNIX, SOCK_STREAM, 0);
    int victim = open(ATTACK_FILE, O_CREAT | O_WRONLY, 0600);

    if (victim < 0 || file < 0 || s < 0 || dup2(file, PLANTED_FILE) < 0 || dup2(s, PLANTED_SOCKET) < 0)
        abort();
    close(victim);
    close(file);
    close(s);
}

/* A 32-bit call where the kernel knows none ends in a fault instead. */
static bool killed(const char *name, const char *got)
{
    return !strcmp(got, "SIGSYS") || (!strcmp(name, "int80") && !strcmp(got, "SIGSEGV"));
}

static unsigned all_layers_on(void)
{
    unsigned died = 0;
    char got[sizeof(((struct pvboot_error *)0)->text)];

    for (size_t i = 0; i < n_attacks; i++) {
        attack(attacks[i].name, PVB_LAYERS_ALL, got, sizeof(got));
        died += ok(killed(attacks[i].name, got), "killed by seccomp", attacks[i].name, got);
    }
    return died;
}

/* What a layer answers with; any other errno means that only the arguments were wrong. */
static bool held(const char *got)
{
    static const char *const by[] = { "EPERM", "EACCES", "EMFILE", "EAGAIN", "EBADF", "ENOMEM", "ENOSYS", "SIGXFSZ" };

    for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++)
        if (!strcmp(got, by[i]))
            return true;
    return false;
}

/* The system call was made, and ended: in a signal, in an errno or well. */
static bool made(const char *name, const char *got)
{
    return killed(name, got) || held(got) || !strcmp(got, "OPEN") ||
           (*got == 'E' && strspn(got, ALPHANUMERIC) == strlen(got));
}

/* Without no_new_privs the kernel refuses Landlock to who has no privileges; the filter's library sets it by itself. */
static uint32_t all_without(unsigned layer)
{
    return PVB_LAYERS_ALL & ~(1u << layer | (layer == PVB_LAYER_NO_NEW_PRIVS ? 1u << PVB_LAYER_LANDLOCK : 0));
}

static unsigned made_without[PVB_LAYERS]; /* attacks */

/*
 * What holds when one layer does not: the filter everything, the others all but what is the filter's alone.  A helper
 * that is not root's keeps its user, whose own processes and files only new kernels' Landlock covers: not judged.
 */
static void one_layer_off(const struct attack *a, char *row, size_t n)
{
    char got[sizeof(((struct pvboot_error *)0)->text)];
    bool good = true;
    size_t used = (size_t)snprintf(row, n, "# %-22s", a->name);

    for (unsigned l = 0; l < PVB_LAYERS; l++) {
        attack(a->name, all_without(l), got, sizeof(got));
        made_without[l] += made(a->name, got);
        good = good && (killed(a->name, got) || (l == PVB_LAYER_SECCOMP && (a->alone || geteuid() || held(got))));
        used += (size_t)snprintf(row + used, used < n ? n - used : 0, "%-15.14s", got);
    }
    ok(good, a->alone ? "killed whatever other layer is absent" : "held whatever layer is absent", a->name, row);
}

static void every_column_is_one(void)
{
    char got[sizeof(((struct pvboot_error *)0)->text)];

    for (unsigned l = 0; l < PVB_LAYERS; l++) {
        snprintf(got, sizeof(got), "%u of %zu", made_without[l], n_attacks);
        ok(made_without[l] == n_attacks, "every attack was made without it", pvb_layer_name((enum pvb_layer)l), got);
    }
    attack("getpid", PVB_LAYERS_ALL & ~(1u << PVB_LAYER_NO_NEW_PRIVS), got, sizeof(got));
    ok(!strcmp(got, "refused"), "no Landlock without it", pvb_layer_name(PVB_LAYER_NO_NEW_PRIVS), got);
}

int main(int argc, char **argv)
{
    static char rows[256][512];
    unsigned died, held_twice = 0;

    if (argc != 2 || n_attacks > sizeof(rows) / sizeof(rows[0]))
        return 64;
    trial_helper = argv[1];
    setvbuf(stdout, NULL, _IOLBF, 0);
    plant();
    died = all_layers_on();
    for (size_t i = 0; i < n_attacks; i++) {
        one_layer_off(&attacks[i], rows[i], sizeof(rows[i]));
        held_twice += !attacks[i].alone;
    }
    unlink(ATTACK_FILE);
    every_column_is_one();
    ok(died >= LEAST && died == n_attacks, "all are killed", "40 attacks or more", "see above");
    printf("1..%u\n# what each attack ends in without the layer; without no_new_privs there is no landlock either\n# "
           "%-22s",
           number, "");
    for (unsigned l = 0; l < PVB_LAYERS; l++)
        printf("%-15s", pvb_layer_name((enum pvb_layer)l));
    printf("\n");
    for (size_t i = 0; i < n_attacks; i++)
        printf("%s\n", rows[i]);
    printf("# %u of %zu killed with all layers on; %u of them are held by another layer as well\n", died, n_attacks,
           held_twice);
    return failed != 0;
}
