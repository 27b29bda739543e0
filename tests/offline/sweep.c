/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * sweep SHIM KERNEL RAMDISK CARRIER [in-memory|on-demand|apart|signals|apart-signals]: build one domain over and over; each time another of
 * the plugin's requests to Xen or to the host fails.  Either the build fails with one line that says so, or the guest is
 * exactly what it is without a fault; in both cases nothing stays behind.  Or a signal ends it there (killed.c).  Prints
 * what is wrong, then a line of figures.
 */
#include "sweep.h"
#include "dumped.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTORS 256
#define ABSORBED_MAX 32u

static struct offline_case what;
static xc_interface *xch;
static int captured; /* stands in for fd 2 */
static FILE *out;    /* the real stdout */
static struct outcome whole;
static unsigned long requests[FAULT_SITES];

static struct {
    unsigned long runs, refused, unharmed, wrong;
    const char *absorbed[ABSORBED_MAX];
} total;

static int open_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < DESCRIPTORS; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void take_text(struct outcome *o)
{
    ssize_t n = pread(captured, o->text, sizeof(o->text) - 1, 0);

    o->text[n > 0 ? n : 0] = '\0';
    o->lines = 0;
    for (const char *p = o->text; (p = strchr(p, '\n')) != NULL; p++)
        o->lines++;
}

/* Is there a child of ours, dead or alive? It is gone after that. */
static bool left_child(void)
{
    pid_t pid = waitpid(-1, NULL, WNOHANG);

    if (pid < 0)
        return false;
    if (!pid)
        waitpid(-1, NULL, 0); /* the helper ends when nobody listens to it any more */
    return true;
}

void sweep_build(const struct run *run, struct outcome *o)
{
    long blocks = fault_live_blocks(), mappings = fault_live_mappings();
    int descriptors = open_descriptors();

    if (ftruncate(captured, 0) || lseek(captured, 0, SEEK_SET))
        err(70, "capture");
    dumped_clear(what.shim_cmdline);
    offline_begin(&what, NULL);
    fault_arm(run->site, run->n, run->error);
    if (run->persist)
        fault_persist();
    if (run->everybody)
        fault_enter();
    offline_build(xch, &what, &o->r);
    if (run->everybody)
        fault_leave();
    o->hit = fault_hit();
    o->blocks = fault_live_blocks() - blocks;
    o->mappings = fault_live_mappings() - mappings;
    o->child = left_child();
    o->descriptors = open_descriptors() - descriptors;
    o->digest = fake_digest();
    o->dumped = dumped_digest(what.shim_cmdline);
    o->hidden = dumped_hidden(what.shim_cmdline);
    take_text(o);
}

static void note_absorbed(const char *hit)
{
    size_t i = 0;

    while (i < ABSORBED_MAX && total.absorbed[i] && strcmp(total.absorbed[i], hit))
        i++;
    if (i < ABSORBED_MAX)
        total.absorbed[i] = hit;
}

static void one(const struct run *run)
{
    static struct outcome o;
    const char *wrong;

    sweep_build(run, &o);
    wrong = sweep_judge(run, &o, &whole);
    total.runs++;
    total.refused += o.r.rc != 0;
    total.unharmed += !o.r.rc;
    if (!o.r.rc && o.hit && !run->everybody)
        note_absorbed(o.hit);
    if (!wrong)
        return;
    total.wrong++;
    fprintf(out, "wrong: %s: %s request %lu (%s)%s%s, errno %d: ended by %s; left maps %u handles %u claim %" PRIu64,
            wrong, fault_site_name(run->site), run->n, o.hit ? o.hit : "-", run->persist ? " and all later ones" : "",
            run->everybody ? " of everybody" : "", run->error, o.r.failed ? o.r.failed : "nothing", fake.maps,
            fake.handles, fake.claim);
    fprintf(out, " descriptors %d blocks %ld mappings %ld child %d: %s\n", o.descriptors, o.blocks, o.mappings, o.child,
            o.text);
}

static void sweep(struct run run, const int *errors)
{
    unsigned long last = requests[run.site];
    static struct outcome o;

    run.stock = strstr(what.shim_cmdline, "entry=stub");
    if (run.everybody) {
        sweep_build(&run, &o);
        last = fault_count(run.site);
    }
    for (; *errors; errors++)
        for (run.n = 1; run.n <= last; run.n++) {
            run.error = *errors;
            one(&run);
        }
}

static void build_whole(void)
{
    const struct run none = { .site = FAULT_XEN };

    sweep_build(&none, &whole); /* libraries initialise themselves the first time */
    sweep_build(&none, &whole);
    if (whole.r.rc || whole.lines || !sweep_left_clean(&none, &whole))
        errx(1, "not built, or not cleanly, without any fault: %s %s", whole.r.failed ? whole.r.failed : "",
             whole.text);
    for (enum fault_site s = 0; s < FAULT_SITES; s++)
        requests[s] = fault_count(s);
}

static void sweep_all(void)
{
    static const int xen[] = { EPERM, ENOMEM, EINVAL, ESRCH, EAGAIN, EBUSY, 0 };
    static const int no_memory[] = { ENOMEM, 0 };
    static const int open_errors[] = { EACCES, ENOENT, EIO, EMFILE, ENOMEM, 0 };
    static const int read_errors[] = { EIO, EINTR, ENOMEM, 0 };
    static const int write_errors[] = { ENOSPC, EIO, EINTR, EDQUOT, 0 };
    static const int memory[] = { ENOMEM, EMFILE, EINVAL, EPERM, EBUSY, EINTR, 0 };
    static const int process[] = { EAGAIN, ENOMEM, EMFILE, EPERM, EINTR, ECHILD, 0 };
    static const int gone[] = { ESRCH, 0 };

    sweep((struct run){ .site = FAULT_XEN }, xen);
    sweep((struct run){ .site = FAULT_XEN, .persist = true }, gone);
    sweep((struct run){ .site = FAULT_XEN, .everybody = true }, no_memory);
    sweep((struct run){ .site = FAULT_ALLOC }, no_memory);
    sweep((struct run){ .site = FAULT_ALLOC, .persist = true }, no_memory);
    sweep((struct run){ .site = FAULT_OPEN }, open_errors);
    sweep((struct run){ .site = FAULT_READ }, read_errors);
    sweep((struct run){ .site = FAULT_WRITE }, write_errors);
    sweep((struct run){ .site = FAULT_MEMORY }, memory);
    sweep((struct run){ .site = FAULT_PROCESS }, process);
}

/* What is loaded by another process: one error each, since such a guest takes a while to be made and judged. */
static void sweep_apart(void)
{
    static const int xen[] = { EINVAL, 0 }, process[] = { EAGAIN, 0 };

    sweep((struct run){ .site = FAULT_XEN }, xen);
    sweep((struct run){ .site = FAULT_PROCESS }, process);
}

static void print_requests(void)
{
    fprintf(out, "%s: requests", what.shim_cmdline);
    for (enum fault_site s = 0; s < FAULT_SITES; s++)
        fprintf(out, " %s %lu", fault_site_name(s), requests[s]);
}

static int errors(bool apart)
{
    if (apart)
        sweep_apart();
    else
        sweep_all();
    print_requests();
    fprintf(out, "; %lu builds, %lu refused, %lu unharmed, %lu wrong; absorbed:", total.runs, total.refused,
            total.unharmed, total.wrong);
    for (size_t i = 0; i < ABSORBED_MAX && total.absorbed[i]; i++)
        fprintf(out, " %s", total.absorbed[i]);
    fprintf(out, "\n");
    return total.wrong != 0;
}

/* Of a guest that another process loads, what that one asks for: such a guest takes a while. */
static void only_of_loading(void)
{
    for (enum fault_site s = 0; s < FAULT_SITES; s++)
        if (s != FAULT_XEN && s != FAULT_READ)
            requests[s] = 0;
}

static int signals(bool apart)
{
    struct tally t = { 0 };

    if (apart)
        only_of_loading();
    sweep_signals(requests, what.shim_cmdline, &whole, out, &t);
    print_requests();
    fprintf(out, "; %lu builds, %lu died, %lu refused, %lu of them by who loads, %lu unharmed, %lu wrong; absorbed:\n",
            t.runs, t.died, t.refused, t.loaders, t.built, t.wrong);
    return t.wrong != 0;
}

static void capture(void)
{
    int real = dup(STDOUT_FILENO);

    captured = memfd_create("stderr", MFD_CLOEXEC);
    out = real < 0 ? NULL : fdopen(real, "w");
    if (captured < 0 || !out || dup2(captured, STDERR_FILENO) < 0)
        err(70, "capture");
    setvbuf(out, NULL, _IOLBF, 0);
}

static void silent(xentoollog_logger *l, xentoollog_level level, int errnoval, const char *context, const char *format,
                   va_list al)
{
    (void)l;
    (void)level;
    (void)errnoval;
    (void)context;
    (void)format;
    (void)al;
}

int main(int argc, char **argv)
{
    static xentoollog_logger log = { .vmessage = silent };

    const char *how = argc > 5 ? argv[5] : "";
    bool apart = !strncmp(how, "apart", strlen("apart"));
    unsigned int mib = apart ? 66 : 34; /* room for a ramdisk that is large */

    if (argc < 5)
        errx(64, "sweep SHIM KERNEL RAMDISK CARRIER [in-memory|on-demand|apart|signals|apart-signals]");
    what = (struct offline_case){ .kind = OFFLINE_SHIM,
                                  .shim = argv[1],
                                  .kernel = argv[2],
                                  .ramdisk = argv[3],
                                  .shim_cmdline = argv[4],
                                  .in_memory = !strcmp(how, "in-memory"),
                                  .cmdline = "console=hvc0",
                                  .claim = true,
                                  .memory_mib = mib,
                                  .maxmem_mib = strcmp(how, "on-demand") ? mib : 2 * mib,
                                  .vcpus = 2 };
    capture();
    xch = xc_interface_open(&log, &log, XC_OPENFLAG_DUMMY);
    if (!xch || !offline_gate_plugin())
        errx(70, "the plugin is not loaded");
    build_whole();
    return strstr(how, "signals") ? signals(apart) : errors(apart);
}
