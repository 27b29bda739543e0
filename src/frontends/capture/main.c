/* SPDX-License-Identifier: LGPL-2.1-only */
#include "capture.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RANGES_MAX 16
#define RANGE_BYTES_MAX (1ull << 30)

static const char usage[] = "usage: pvboot-capture [-o DIR] DOMID [NAME=ADDRESS:BYTES]...\n"
                            "Registers of a paused domain's vCPU 0 as JSON; each range into DIR/NAME.bin.\n"
                            "ADDRESS is guest-physical; for a PV guest, virtual.\n";

/* A number up to @end; false when there is none. */
static bool take_number(const char **text, char end, uint64_t *value)
{
    char *stop;

    errno = 0;
    *value = strtoull(*text, &stop, 0);
    if (errno || stop == *text || !isdigit((unsigned char)**text) || *stop != end)
        return false;
    *text = stop + (end != '\0');
    return true;
}

static int parse_range(const char *text, struct range *r, struct pvboot_error *e)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    const char *p = text + n + 1;

    memset(r, 0, sizeof(*r));
    if (!n || n >= sizeof(r->name) || text[n] != '=' || !take_number(&p, ':', &r->address) ||
        !take_number(&p, '\0', &r->bytes) || !r->bytes || r->bytes > RANGE_BYTES_MAX ||
        r->address + r->bytes < r->address)
        return pvb_fail(e, PVBOOT_E_USAGE, "'%s' is no NAME=ADDRESS:BYTES of at most %llu bytes", text,
                        RANGE_BYTES_MAX);
    memcpy(r->name, text, n);
    return 0;
}

static int parse_domid(const char *text, uint32_t *domid, struct pvboot_error *e)
{
    int end = -1;

    if (sscanf(text, "%" SCNu32 "%n", domid, &end) != 1 || text[end] || *domid >= DOMID_FIRST_RESERVED)
        return pvb_fail(e, PVBOOT_E_USAGE, "'%s' is no domain number", text);
    return 0;
}

/* A running domain would change under our eyes. */
static int check_paused(struct capture *c, struct pvboot_error *e)
{
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(c->xch, c->domid, 1, &info) != 1 || info.domain != c->domid)
        return pvb_fail(e, PVBOOT_E_XEN, "there is no domain %u", c->domid);
    if (!(info.flags & XEN_DOMINF_paused))
        return pvb_fail(e, PVBOOT_E_USAGE, "domain %u is not paused", c->domid);
    c->pv = !(info.flags & XEN_DOMINF_hvm_guest);
    return 0;
}

static int capture(const struct capture *c, const struct range *range, int n, json_t *o, struct pvboot_error *e)
{
    json_t *vcpu = json_object(), *ranges = json_array(), *si = json_object();
    uint64_t rsi;
    int rc = capture_vcpu(c, vcpu, &rsi, e);

    json_object_set_new(o, "domid", pvb_json_u64(c->domid));
    json_object_set_new(o, "container", json_string(c->pv ? "pv" : "hvm"));
    json_object_set_new(o, "addresses", json_string(c->pv ? "virtual" : "guest-physical"));
    json_object_set_new(o, "vcpu", vcpu);
    json_object_set_new(o, "ranges", ranges);
    if (!rc && c->pv)
        rc = capture_start_info(c, rsi, si, e);
    if (!rc && c->pv)
        json_object_set(o, "pv_start_info", si);
    json_decref(si);
    for (int i = 0; !rc && i < n; i++)
        rc = capture_range(c, &range[i], ranges, e);
    return rc;
}

static int parse(struct capture *c, int argc, char **argv, struct range *range, int *n, struct pvboot_error *e)
{
    int opt, rc;

    while ((opt = getopt(argc, argv, "+:o:")) != -1) {
        if (opt != 'o')
            return pvb_fail(e, PVBOOT_E_USAGE, "option -%c; %s", optopt, "see pvboot-capture --help");
        c->dir = optarg;
    }
    if (optind == argc)
        return pvb_fail(e, PVBOOT_E_USAGE, "no domain number: see pvboot-capture --help");
    rc = parse_domid(argv[optind++], &c->domid, e);
    if (argc - optind > RANGES_MAX)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%d ranges, limit %d", argc - optind, RANGES_MAX);
    if (argc > optind && !c->dir)
        return pvb_fail(e, PVBOOT_E_USAGE, "ranges need -o DIR");
    for (*n = 0; !rc && optind < argc; optind++)
        rc = parse_range(argv[optind], &range[(*n)++], e);
    return rc;
}

static int run(struct capture *c, int argc, char **argv, json_t *o, struct pvboot_error *e)
{
    struct range range[RANGES_MAX];
    int n = 0, rc = parse(c, argc, argv, range, &n, e);

    if (rc)
        return rc;
    c->xch = xc_interface_open(NULL, NULL, 0);
    c->fmem = xenforeignmemory_open(NULL, 0);
    if (!c->xch || !c->fmem)
        return pvb_fail(e, PVBOOT_E_XEN, "opening Xen's interfaces: errno %d (is this dom0?)", errno);
    rc = check_paused(c, e);
    return rc ? rc : capture(c, range, n, o, e);
}

int main(int argc, char **argv)
{
    struct pvboot_error e = { 0 };
    struct capture c = { 0 };
    char line[sizeof(e)];
    json_t *o = json_object();
    int rc;

    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        return fputs(usage, stdout) < 0;
    rc = run(&c, argc, argv, o, &e);
    if (!rc && (json_dumpf(o, stdout, JSON_INDENT(1)) || putchar('\n') < 0 || fflush(stdout)))
        rc = pvb_fail(&e, PVBOOT_E_HOST, "cannot write to standard output");
    if (rc)
        fprintf(stderr, "%s\n", pvboot_error_line(&e, line, sizeof(line)));
    if (c.fmem)
        xenforeignmemory_close(c.fmem);
    if (c.xch)
        xc_interface_close(c.xch);
    json_decref(o);
    return -rc;
}
