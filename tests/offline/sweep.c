/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * sweep SHIM KERNEL RAMDISK CARRIER [in-memory]: build one domain over and over; each time another of the plugin's
 * requests to Xen or to the host fails.  Either the build fails with one line that says so, or the guest is exactly
 * what it is without a fault; in both cases nothing stays behind.  Prints what is wrong, then a line of figures.
 */
#include "build.h"
#include "dumped.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DESCRIPTORS 256
#define ABSORBED_MAX 16u

static struct offline_case what;
static xc_interface *xch;
static bool left_to_stock; /* the in-guest stub: libxenguest says what went wrong, in its own log */
static int captured;       /* stands in for fd 2 */
static FILE *out;          /* the real stdout */

static struct {
    uint64_t digest, dumped;
    unsigned long count[FAULT_SITES];
} reference;

struct run {
    enum fault_site site;
    unsigned long n;
    int error;
    bool persist, everybody; /* libxenguest's own requests, too */
};

struct outcome {
    struct offline_result r;
    char text[4096];
    unsigned int lines;
    long blocks; /* allocated and not freed by this run */
    int descriptors;
    const char *hit;
};

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

static void run_once(const struct run *run, struct outcome *o)
{
    long blocks = fault_live_blocks();
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
    o->descriptors = open_descriptors() - descriptors;
    take_text(o);
}

/* What a single failed call leaves by its own nature. */
static bool left_clean(const struct run *run, const struct outcome *o)
{
    bool unmap = o->hit && !strcmp(o->hit, "xenforeignmemory_unmap");
    bool claim = o->hit && (!strcmp(o->hit, "xc_domain_claim_pages") || run->persist);

    return fake.maps == unmap && !fake.handles && (claim || !fake.claim) && !o->descriptors && !o->blocks;
}

static const char *const wanted[FAULT_SITES] = {
    [FAULT_XEN] = "pvboot: xen: ", [FAULT_ALLOC] = "pvboot: host: ", [FAULT_OPEN] = "pvboot: ",
    [FAULT_READ] = "pvboot: ",     [FAULT_WRITE] = "pvboot: host: ",
};

static const char *judge_refusal(const struct run *run, const struct outcome *o)
{
    if (run->everybody || left_to_stock)
        return o->lines > 1 ? "more than one line" : NULL;
    if (o->lines != 1)
        return "not exactly one line";
    if (strncmp(o->text, wanted[run->site], strlen(wanted[run->site])))
        return "another class of error";
    if (run->site == FAULT_OPEN || run->site == FAULT_READ)
        if (strncmp(o->text, "pvboot: host: ", 14) && strncmp(o->text, "pvboot: unreadable: ", 20))
            return "another class of error";
    return NULL;
}

static void note_absorbed(const char *hit)
{
    size_t i = 0;

    while (i < ABSORBED_MAX && total.absorbed[i] && strcmp(total.absorbed[i], hit))
        i++;
    if (i < ABSORBED_MAX)
        total.absorbed[i] = hit;
}

/* The build went on: it must have made the very same guest, and must not have looked away from what Xen said. */
static const char *judge_success(const struct run *run, const struct outcome *o)
{
    if (run->everybody)
        return NULL;
    if (o->lines)
        return "a line, although the domain was built";
    if (fake_digest() != reference.digest || !fake.vcpu[0].up)
        return "the guest differs";
    if (dumped_digest(what.shim_cmdline) != reference.dumped)
        return "the dump differs";
    if (run->site == FAULT_XEN && strcmp(o->hit, "xc_domain_populate_physmap"))
        return "went on after Xen refused";
    note_absorbed(o->hit);
    return NULL;
}

static void one(const struct run *run)
{
    static struct outcome o;
    const char *wrong;

    run_once(run, &o);
    if (o.blocks) /* libc may have kept something of its own the first time */
        run_once(run, &o);
    total.runs++;
    if (!o.hit)
        wrong = "never came to that request";
    else if (o.r.rc)
        wrong = judge_refusal(run, &o);
    else
        wrong = judge_success(run, &o);
    if (!wrong && fake.broken)
        wrong = fake.broken;
    if (!wrong && !left_clean(run, &o))
        wrong = "left something behind";
    total.refused += o.r.rc != 0;
    total.unharmed += !o.r.rc;
    if (!wrong)
        return;
    total.wrong++;
    fprintf(out,
            "wrong: %s: %s request %lu (%s)%s%s, errno %d: built %s, maps %u handles %u claim %" PRIu64
            " descriptors %d blocks %ld: %s\n",
            wrong, fault_site_name(run->site), run->n, o.hit ? o.hit : "-", run->persist ? " and all later ones" : "",
            run->everybody ? " of everybody" : "", run->error, o.r.failed ? o.r.failed : "yes", fake.maps, fake.handles,
            fake.claim, o.descriptors, o.blocks, o.text);
}

static void sweep(struct run run, const int *errors)
{
    unsigned long last = run.everybody ? 0 : reference.count[run.site];
    static struct outcome o;

    if (run.everybody) {
        run_once(&run, &o);
        last = fault_count(run.site);
    }
    for (; *errors; errors++)
        for (run.n = 1; run.n <= last; run.n++) {
            run.error = *errors;
            one(&run);
        }
}

static void take_reference(void)
{
    static struct outcome o;

    for (int i = 0; i < 2; i++) { /* libraries initialise themselves the first time */
        run_once(&(struct run){ .site = FAULT_XEN }, &o);
        if (o.r.rc || o.lines || !left_clean(&(struct run){ .site = FAULT_XEN }, &o) ? i : 0)
            errx(1, "not built, or not cleanly, without any fault: %s %s", o.r.failed ? o.r.failed : "", o.text);
    }
    reference.digest = fake_digest();
    reference.dumped = dumped_digest(what.shim_cmdline);
    for (enum fault_site s = 0; s < FAULT_SITES; s++)
        reference.count[s] = fault_count(s);
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

static void sweep_all(void)
{
    static const int xen[] = { EPERM, ENOMEM, EINVAL, ESRCH, EAGAIN, EBUSY, 0 };
    static const int alloc[] = { ENOMEM, 0 };
    static const int open_errors[] = { EACCES, ENOENT, EIO, EMFILE, ENOMEM, 0 };
    static const int read_errors[] = { EIO, EINTR, ENOMEM, 0 };
    static const int write_errors[] = { ENOSPC, EIO, EINTR, EDQUOT, 0 };
    static const int gone[] = { ESRCH, 0 };

    sweep((struct run){ .site = FAULT_XEN }, xen);
    sweep((struct run){ .site = FAULT_XEN, .persist = true }, gone);
    sweep((struct run){ .site = FAULT_XEN, .everybody = true }, xen);
    sweep((struct run){ .site = FAULT_ALLOC }, alloc);
    sweep((struct run){ .site = FAULT_ALLOC, .persist = true }, alloc);
    sweep((struct run){ .site = FAULT_OPEN }, open_errors);
    sweep((struct run){ .site = FAULT_READ }, read_errors);
    sweep((struct run){ .site = FAULT_WRITE }, write_errors);
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

    if (argc < 5)
        errx(64, "sweep SHIM KERNEL RAMDISK CARRIER [in-memory]");
    what = (struct offline_case){ .kind = OFFLINE_SHIM,
                                  .shim = argv[1],
                                  .kernel = argv[2],
                                  .ramdisk = argv[3],
                                  .shim_cmdline = argv[4],
                                  .in_memory = argc > 5,
                                  .cmdline = "console=hvc0",
                                  .claim = true,
                                  .memory_mib = 34,
                                  .maxmem_mib = 34,
                                  .vcpus = 2 };
    left_to_stock = strstr(argv[4], "entry=stub");
    capture();
    xch = xc_interface_open(&log, &log, XC_OPENFLAG_DUMMY);
    if (!xch || !offline_gate_plugin())
        errx(70, "the plugin is not loaded");
    take_reference();
    sweep_all();
    fprintf(out, "%s: requests", what.shim_cmdline);
    for (enum fault_site s = 0; s < FAULT_SITES; s++)
        fprintf(out, " %s %lu", fault_site_name(s), reference.count[s]);
    fprintf(out, "; %lu builds, %lu refused, %lu unharmed, %lu wrong; absorbed:", total.runs, total.refused,
            total.unharmed, total.wrong);
    for (size_t i = 0; i < ABSORBED_MAX && total.absorbed[i]; i++)
        fprintf(out, " %s", total.absorbed[i]);
    fprintf(out, "\n");
    return total.wrong != 0;
}
