/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Builds one domain as libxl would and says what came of it, one fact per line on stdout; libxenguest's log goes to
 * --log, guest memory to --memory, a sparse file in which what was never mapped is a hole.
 */
#include "build.h"
#include "child.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct log_file {
    xentoollog_logger vtable;
    FILE *f;
};

static struct log_file log_file;
static const char *memory_path;
static bool child_last;

static void message(xentoollog_logger *l, xentoollog_level level, int errnoval, const char *context, const char *format,
                    va_list al)
{
    (void)l;
    (void)errnoval;
    fprintf(log_file.f, "%s: %s: ", xtl_level_to_string(level), context ? context : "-");
    vfprintf(log_file.f, format, al);
    fputc('\n', log_file.f);
}

static void progress(xentoollog_logger *l, const char *context, const char *doing, int percent, unsigned long done,
                     unsigned long total)
{
    (void)l;
    (void)context;
    (void)doing;
    (void)percent;
    (void)done;
    (void)total;
}

static void destroy(xentoollog_logger *l)
{
    (void)l;
}

static enum offline_kind kind_of(const char *s)
{
    static const char *const name[] = {
        [OFFLINE_SHIM] = "shim", [OFFLINE_PVH] = "pvh", [OFFLINE_PV] = "pv", [OFFLINE_HVM] = "hvm"
    };

    for (unsigned int i = 0; i < sizeof(name) / sizeof(name[0]); i++)
        if (!strcmp(s, name[i]))
            return i;
    errx(64, "--kind %s: shim, pvh, pv or hvm", s);
}

static unsigned int number(const char *s)
{
    char *end;
    unsigned long n = strtoul(s, &end, 10);

    if (!*s || *end || n > UINT32_MAX)
        errx(64, "%s: not a number", s);
    return (unsigned int)n;
}

static void options(struct offline_case *c, char **argv)
{
    const char *kind = "shim", *log = NULL;
    const struct {
        const char *name;
        const char **text;
        unsigned int *number;
        bool *flag;
    } known[] = {
        { "--kind", .text = &kind },
        { "--shim", .text = &c->shim },
        { "--carrier", .text = &c->shim_cmdline },
        { "--kernel", .text = &c->kernel },
        { "--cmdline", .text = &c->cmdline },
        { "--ramdisk", .text = &c->ramdisk },
        { "--memory", .text = &memory_path },
        { "--log", .text = &log },
        { "--mib", .number = &c->memory_mib },
        { "--maxmem", .number = &c->maxmem_mib },
        { "--vcpus", .number = &c->vcpus },
        { "--console-port", .number = &c->console_port },
        { "--xenstore-port", .number = &c->xenstore_port },
        { "--in-memory", .flag = &c->in_memory },
        { "--no-guest-cmdline", .flag = &c->no_guest_cmdline },
        { "--child-last", .flag = &child_last },
        { "--claim", .flag = &c->claim },
        { "--vnuma", .flag = &c->vnuma },
    };
    const size_t n = sizeof(known) / sizeof(known[0]);

    *c = (struct offline_case){ .memory_mib = 64, .vcpus = 1 };
    while (*++argv) {
        size_t i = 0;

        while (i < n && strcmp(*argv, known[i].name))
            i++;
        if (i == n || (!known[i].flag && !argv[1]))
            errx(64, "%s: no such option, or no value", *argv);
        if (known[i].flag)
            *known[i].flag = true;
        else if (known[i].number)
            *known[i].number = number(*++argv);
        else
            *known[i].text = *++argv;
    }
    c->kind = kind_of(kind);
    c->maxmem_mib = c->maxmem_mib ? c->maxmem_mib : c->memory_mib;
    log_file.f = log ? fopen(log, "we") : NULL;
    if (!c->kernel || !log_file.f)
        errx(64, "want --kernel FILE --log FILE");
}

static void report_vcpus(void)
{
    const HVM_SAVE_TYPE(CPU) *c = &fake.vcpu[0].cpu;
    const struct {
        const char *name;
        uint64_t value;
    } reg[] = {
#define R(f) { #f, c->f }
        R(rip),       R(rsi),        R(rbx),    R(rax),    R(rcx),        R(rdx),        R(rbp),
        R(rdi),       R(rsp),        R(rflags), R(cr0),    R(cr3),        R(cr4),        R(msr_efer),
        R(cs_sel),    R(ds_sel),     R(es_sel), R(ss_sel), R(cs_arbytes), R(ds_arbytes), R(tr_arbytes),
        R(gdtr_base), R(gdtr_limit), R(dr6),    R(dr7),
#undef R
    };

    for (unsigned int i = 0; i < fake.setup.vcpus; i++)
        printf("vcpu %u up %d mtrr %d def_type %#" PRIx64 "\n", i, fake.vcpu[i].up, fake.vcpu[i].has_mtrr,
               (uint64_t)fake.vcpu[i].mtrr.msr_mtrr_def_type);
    for (size_t i = 0; i < sizeof(reg) / sizeof(reg[0]); i++)
        printf("reg %s %#" PRIx64 "\n", reg[i].name, reg[i].value);
}

static void report(const struct offline_result *r)
{
    printf("result %s %d\n", r->failed ? r->failed : "built", r->rc);
    printf("rings console %#" PRIx64 " xenstore %#" PRIx64 "\n", r->console_pfn, r->xenstore_pfn);
    for (unsigned int i = 0; i < r->e820_entries; i++)
        printf("e820 %#" PRIx64 " %#" PRIx64 " %u\n", (uint64_t)r->e820[i].addr, (uint64_t)r->e820[i].size,
               r->e820[i].type);
    for (unsigned int i = 0; i < HVM_NR_PARAMS; i++)
        if (fake.param_set[i])
            printf("param %u %#" PRIx64 "\n", i, fake.param[i]);
    report_vcpus();
    printf("left maps %u handles %u claim %" PRIu64 "\n", fake.maps, fake.handles, fake.claim);
    printf("broken %s\n", fake.broken ? fake.broken : "nothing");
    for (size_t i = 0; i < fake.n_calls; i++)
        printf("call %s %#" PRIx64 " %#" PRIx64 " %#" PRIx64 "\n", fake.call[i].name, fake.call[i].a, fake.call[i].b,
               fake.call[i].c);
}

int main(int argc, char **argv)
{
    struct offline_case c;
    struct offline_result r;
    xc_interface *xch;

    (void)argc;
    options(&c, argv);
    if (!child_last)
        start_child();
    log_file.vtable = (xentoollog_logger){ .vmessage = message, .progress = progress, .destroy = destroy };
    xch = xc_interface_open(&log_file.vtable, &log_file.vtable, XC_OPENFLAG_DUMMY);
    if (!xch)
        errx(70, "xc_interface_open");
    offline_begin(&c, memory_path);
    offline_build(xch, &c, &r);
    report(&r);
    if (child_last)
        start_child();
    xc_interface_close(xch);
    fclose(log_file.f);
    return r.rc ? 1 : 0;
}
