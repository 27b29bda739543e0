/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxenguest's three questions to a loader: is it yours (probe), what is it (parser), put it there (loader).
 * Once probe has said yes nothing falls through to a stock parser.
 */
#include "../../builder/load/load.h"
#include "xl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

/* Who loads the in-guest stub, as if we were not there, but for its ACPI tables (acpi.c). */
static struct xc_dom_loader *stub_loader(const struct xc_dom_image *dom)
{
    static struct pvb_symbol elf = { .name = "elf_loader" };

    return pvb_owner_is_stub(dom) ? pvb_symbol_find(&elf) : NULL;
}

/* A boot ROM that was taken for a kernel goes to stock code whole; if it cannot be had, nobody builds the domain. */
static int probe(struct xc_dom_image *dom)
{
    const struct xc_dom_loader *stub = stub_loader(dom);

    if (pvb_owner(dom) != PVB_OWNER_STOCK || pvb_give_back(dom, NULL))
        return 0;
    return stub ? stub->probe(dom) : -EINVAL;
}

/*
 * What a bootloader found is handed over as a mapping of its file, which can be cut or changed as long as the domain is
 * built: it gets the sealed copy that @f is already where pvboot read a file itself.
 */
static int adopt(struct pvboot_file *f, const struct xc_dom_module *m, uint64_t most, struct pvboot_error *e)
{
    if (f->owned)
        return 0;
    if (m->size > most)
        return pvb_fail(e, PVBOOT_E_LIMIT, "%zu bytes, limit %" PRIu64, m->size, most);
    if (!m->size)
        return pvb_fail(e, PVBOOT_E_UNREADABLE, "empty");
    return pvboot_file_seal(f, (struct pvboot_bytes){ m->blob, m->size }, e);
}

static int adopt_kernel(struct xc_dom_image *dom, struct pvb_domain *d, struct pvboot_error *e)
{
    uint64_t most = pvboot_limit(d->req.limits.kernel, PVBOOT_KERNEL_MAX);

    return pvb_in_file(e, "the bootloader's kernel", adopt(&d->kernel.file, &dom->modules[0], most, e));
}

static int adopt_ramdisk(struct xc_dom_image *dom, struct pvb_domain *d, struct pvboot_error *e)
{
    uint64_t most = pvboot_limit(d->req.limits.ramdisk, PVBOOT_RAMDISK_MAX);
    struct pvboot_file *f = &d->ramdisk_file[0];
    int rc;

    if (dom->num_modules < 2)
        return 0;
    rc = pvb_in_file(e, "the bootloader's ramdisk", adopt(f, &dom->modules[1], most, e));
    if (rc)
        return rc;
    d->req.ramdisk_from[d->req.n_ramdisks] = pvboot_file_source(f);
    d->req.ramdisk[d->req.n_ramdisks++] = f->bytes;
    return 0;
}

static int take_request(struct xc_dom_image *dom, struct pvb_domain *d, struct pvboot_error *e)
{
    struct pvboot_request *req = &d->req;
    int rc = pvb_domain_request(d, e);

    if (rc)
        return rc;
    if (req->path == PVBOOT_PATH_STUB)
        return pvb_fail(e, PVBOOT_E_LIMIT, "a command line of %zu bytes through stub: stock libxenguest's limit is %u",
                        strlen(dom->modules[0].cmdline), PVBOOT_STOCK_CMDLINE_MAX);
    req->cmdline = dom->modules[0].cmdline;
    rc = adopt_ramdisk(dom, d, e);
    if (rc)
        return rc;
    if (req->has_rng_seed && getrandom(req->rng_seed, sizeof(req->rng_seed), 0) != sizeof(req->rng_seed))
        return pvb_fail(e, PVBOOT_E_HOST, "no random bytes for the guest's seed: errno %d", errno);
    return pvb_read_ramdisks(d, e);
}

static int parse_domain(struct xc_dom_image *dom, struct pvb_domain *d, struct pvboot_error *e)
{
    enum pvb_owner owner = pvb_owner(dom);
    int rc;

    if (owner == PVB_OWNER_STOCK) {
        rc = pvb_give_back(dom, e);
        return rc ? rc : pvb_in_file(e, d->kernel_path, pvb_fail(e, PVBOOT_E_UNREADABLE, "could not be read at once"));
    }
    if (owner == PVB_OWNER_UNMARKED)
        return pvb_fail(e, PVBOOT_E_USAGE,
                        "a kernel without a command line: without one a guest of pvboot's cannot be told from a stock "
                        "one that was given the stub as its kernel; cmdline=\"\" is enough, or an argument from the "
                        "bootloader");
    rc = take_request(dom, d, e);
    if (rc)
        return rc;
    rc = adopt_kernel(dom, d, e);
    if (rc)
        return rc;
    pvb_phase_begin(dom, d, "parse");
    rc = pvb_kernel_begin(d, e);
    if (!rc)
        rc = pvboot_request_embedded(&d->req, &d->kernel.parsed, e);
    dom->modules[0].blob = (void *)d->kernel.file.bytes.p; /* the parser may have wanted a whole copy */
    pvb_phase_end(dom, d);
    return pvb_in_file(e, d->kernel_path, rc);
}

static int parser(struct xc_dom_image *dom)
{
    const struct xc_dom_loader *stub = stub_loader(dom);
    struct pvb_domain *d = pvb_domain_get(dom);
    struct pvboot_error e = { 0 };
    int rc;

    if (stub && !pvb_give_back(dom, NULL))
        return stub->parser(dom);
    rc = d ? parse_domain(dom, d, &e) : pvb_fail(&e, PVBOOT_E_HOST, "no memory for a domain's description");

    if (rc)
        return pvb_report(&e);
    dom->guest_type = PVB_GUEST_TYPE;
    /* libxenguest wants a kernel segment of at least a page; it maps and zeroes the one at gfn 0. */
    dom->kernel_seg.vstart = 0;
    dom->kernel_seg.vend = PVB_PAGE;
    return 0;
}

/* The machine as libxl has made it by now: its e820, its ACPI tables, the stock place of the special pages. */
static int take_machine(const struct xc_dom_image *dom, struct pvboot_machine *m, struct pvboot_error *e)
{
    int rc = 0;

    for (unsigned int i = 0; !rc && i < dom->e820_entries; i++)
        rc = pvboot_memmap_set(&m->map, dom->e820[i].addr, dom->e820[i].addr + dom->e820[i].size, dom->e820[i].type, e);
    m->rsdp_gpa = dom->acpi_modules[0].guest_addr_out;
    pvboot_machine_special(m, (uint64_t)X86_HVM_END_SPECIAL_REGION * PVB_PAGE);
    m->console_evtchn = dom->console_evtchn;
    m->xenstore_evtchn = dom->xenstore_evtchn;
    m->vcpus = dom->max_vcpus;
    return rc;
}

/* What xl's user should know of the files in the configuration. */
static void tell_about_inputs(struct pvb_domain *d)
{
    const size_t all = sizeof(d->plan.notes) / sizeof(d->plan.notes[0]);
    size_t i = 0;

    while (i < all && d->plan.notes[i][0])
        i++;
    pvboot_plan_remark_inputs(&d->plan, &d->kernel.parsed, &d->req);
    for (; i < all && d->plan.notes[i][0]; i++)
        fprintf(stderr, "pvboot: note: %s\n", d->plan.notes[i]);
}

/* All has been read: was each of one version? */
static int settle(struct pvb_domain *d, struct pvboot_error *e)
{
    int rc = pvboot_file_settle(&d->kernel.file, e);

    for (uint32_t i = 0; !rc && i < PVBOOT_RAMDISKS_MAX; i++)
        rc = pvboot_file_settle(&d->ramdisk_file[i], e);
    return rc;
}

static int plan_domain(struct pvb_domain *d, struct pvboot_guest *g, struct pvboot_error *e)
{
    const struct pvboot_image *img = &d->kernel.parsed.image;
    int rc = pvboot_plan_make(&d->plan, img, &d->machine, &d->req, e);

    if (!rc && d->kernel.parsed.placed && d->plan.elf_delta) {
        rc = pvb_kernel_move(d, g, e);
        if (!rc)
            rc = pvboot_plan_make(&d->plan, img, &d->machine, &d->req, e);
    }
    return rc ? rc : pvboot_plan_check(&d->plan, img, e);
}

/* Where dom0 is no PV guest, each page that is mapped takes one of its addresses, and what stands for it. */
#define LEFT_PAGES_MAX ((64u << 20) / PVB_PAGE)

static int leave_mapped(xenforeignmemory_handle *fmem, void *addr, size_t pages)
{
    static size_t left; /* by this process, which has one guest */

    left += pages;
    return left > LEFT_PAGES_MAX ? PVB_FIND(xenforeignmemory_unmap)(fmem, addr, pages) : 0;
}

/* By a process that unmaps by its end; a dump wants to see here what is loaded. */
static int fill_apart(struct pvb_domain *d, struct pvboot_error *e)
{
    struct pvboot_xen xen = d->xen;
    struct pvboot_xen_guest guest;

    if (d->paths.dump_dir)
        return PVB_NOT_LOADED;
    xen.call.xenforeignmemory_unmap = leave_mapped;
    pvboot_xen_guest_init(&guest, &xen);
    return pvb_load_elsewhere(&d->plan, &d->kernel.parsed, &d->req, &guest.guest, e);
}

static int fill(struct pvb_domain *d, struct pvboot_guest *g, struct pvboot_error *e)
{
    int rc = fill_apart(d, e);

    if (rc != PVB_NOT_LOADED)
        return rc;
    pvboot_record_init(&d->record, &d->machine, g);
    rc = pvboot_load(&d->plan, &d->kernel.parsed, &d->req, d->paths.dump_dir ? &d->record.guest : g, e);
    d->record.next = NULL; /* @g ends with our caller */
    return rc;
}

/* A phase that there is if anything was left to be done, and that says where. */
static int unpack(struct xc_dom_image *dom, struct pvb_domain *d, struct pvboot_error *e)
{
    int rc;

    if (!pvb_kernel_file_lacks_elf(&d->kernel, &d->req))
        return 0;
    pvb_phase_begin(dom, d, "unpack");
    rc = pvb_kernel_complete(d, e);
    if (!d->kernel.parsed.placed)
        d->clock.phase = "unpack-aside";
    return rc;
}

static int load_domain(struct xc_dom_image *dom, struct pvb_domain *d, struct pvboot_error *e)
{
    struct pvboot_xen_guest guest;
    int rc;

    pvboot_xen_guest_init(&guest, &d->xen);
    rc = take_machine(dom, &d->machine, e);
    if (rc)
        return rc;
    rc = unpack(dom, d, e);
    if (rc)
        return rc;
    pvb_phase_begin(dom, d, "plan");
    rc = plan_domain(d, &guest.guest, e);
    if (rc)
        return rc;
    tell_about_inputs(d);
    pvb_phase_begin(dom, d, "load");
    rc = fill(d, &guest.guest, e);
    if (!rc)
        rc = settle(d, e);
    pvb_phase_end(dom, d);
    return rc;
}

static int loader(struct xc_dom_image *dom)
{
    const struct xc_dom_loader *stub = stub_loader(dom);
    struct pvb_domain *d = pvb_domain_find(dom);
    struct pvboot_error e = { 0 };

    pvb_acpi_drop_gpe(dom);
    if (stub)
        return stub->loader(dom);
    if (pvb_in_file(&e, d->kernel_path, load_domain(dom, d, &e)))
        return pvb_report(&e);
    dom->num_modules = 0; /* kernel and ramdisk lie where the plan says; nothing is left for libxenguest to load */
    return 0;
}

struct xc_dom_loader pvb_loader = { .name = "pvboot", .probe = probe, .parser = parser, .loader = loader };
