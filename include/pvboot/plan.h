/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The plan: every address of a guest at its first instruction, each with its reason, as a value.
 *
 * plan = f(image, request).  No I/O, no hypercall, no global: the same input gives the same plan on a laptop
 * and in dom0.  pvboot_plan_check() re-derives legality on its own.
 *
 * Specifications: Linux Documentation/arch/x86/boot.rst and zero-page.rst; Xen docs/misc/pvh.pandoc.
 */
#ifndef PVBOOT_PLAN_H
#define PVBOOT_PLAN_H

#include <pvboot/confine.h>
#include <pvboot/limits.h>
#include <pvboot/memmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The special pages of an HVM-container domain, in the order stock libxenguest gives them, so that tools which look
 * at a paused domain find the usual.
 */
enum pvboot_special {
    PVBOOT_SPECIAL_PAGING,
    PVBOOT_SPECIAL_ACCESS,
    PVBOOT_SPECIAL_SHARING,
    PVBOOT_SPECIAL_BUFIOREQ,
    PVBOOT_SPECIAL_XENSTORE,
    PVBOOT_SPECIAL_IOREQ,
    PVBOOT_SPECIAL_IDENT_PT,
    PVBOOT_SPECIAL_CONSOLE,
    PVBOOT_SPECIAL_PAGES,
};

/* Who writes the domain's ACPI tables. */
enum pvboot_tables {
    PVBOOT_TABLES_GIVEN,  /* the toolstack, or nobody */
    PVBOOT_TABLES_PVH,    /* we: local APICs, no PC hardware */
    PVBOOT_TABLES_TIMERS, /* we: an IOAPIC and Xen's emulated timers as well */
};

/* The domain before anything of ours lies in it. */
struct pvboot_machine {
    uint64_t rsdp_gpa;                   /* 0: no ACPI */
    enum pvboot_tables tables;           /* where they are ours, the RSDP lies among them in an ACPI range of @map */
    uint64_t special_start, special_end; /* console, xenstore, ... pages; reserved in @map */
    uint64_t console_gpa, xenstore_gpa;  /* 0: none */
    uint32_t console_evtchn, xenstore_evtchn; /* 0: not known yet */
    uint32_t vcpus;
    bool pv; /* a PV domain: RAM from 0 on and nothing else; a gpa is a pseudo-physical address */
    /*
     * Of a PV domain: the machine frame of each page of @map's RAM, as many entries as that has pages.  Borrowed: it outlives
     * the machine and each plan made for it.  NULL: not known yet, as if each frame were its own.
     */
    const uint64_t *mfn;
    uint64_t shared_info_ma;  /* of a PV domain: a machine address; 0: not known yet */
    struct pvboot_memmap map; /* RAM, reserved, ACPI as Xen will report them to the guest */
};

/*
 * The machine stock libxl makes of a PVH domain with @memory_bytes and @vcpus: RAM up to 0xfc000000, the rest
 * from 4 GiB, the special pages below 0xff000000, ACPI at 0xfc000000.  -USAGE: no memory, not whole pages, no
 * vCPU; -LIMIT.  Spec: Xen tools/libs/light/libxl_x86.c and libxl_x86_acpi.c, checked against a running Xen
 * by the lab.
 */
int pvboot_machine_default(struct pvboot_machine *m, uint64_t memory_bytes, uint32_t vcpus, struct pvboot_error *e);

/*
 * The same for a domain that no libxl makes: @tables are ours, at the same place, and need fewer pages.  Errors as above.
 */
int pvboot_machine_own(struct pvboot_machine *m, uint64_t memory_bytes, uint32_t vcpus, enum pvboot_tables tables,
                       struct pvboot_error *e);

/*
 * A PV domain: RAM alone, from 0 on.  The planner places the rings.  Errors as above; that a plan takes 64 GiB at most,
 * pvboot_plan_make() says.
 */
int pvboot_machine_pv(struct pvboot_machine *m, uint64_t memory_bytes, uint32_t vcpus, struct pvboot_error *e);

/* The special pages end at @end, whole pages; the rings among them are where enum pvboot_special says. */
void pvboot_machine_special(struct pvboot_machine *m, uint64_t end);

enum pvboot_hypervisor { PVBOOT_HYPERVISOR_NONE, PVBOOT_HYPERVISOR_XEN };

struct pvboot_digests {
    bool wanted;                                  /* shall the hypervisor node tell what was placed? */
    uint8_t kernel[32], ramdisk[32], cmdline[32]; /* sha256; the loader's, which hashes as it places */
};

/* What the administrator asked for, typed. Strings are borrowed. */
struct pvboot_request {
    enum pvboot_path path;
    enum pvboot_path stub_path; /* for stub: what it starts then, auto, linux32 or linux64 */
    uint32_t filler;            /* enum pvboot_filler: who fills, as the guest is told; 0: the toolstack */
    const char *cmdline;        /* NULL: none */
    uint32_t n_ramdisks;
    struct pvboot_bytes ramdisk[PVBOOT_RAMDISKS_MAX]; /* the planner uses only the lengths */
    uint32_t subarch;                                 /* boot.rst hardware_subarch */
    bool force_subarch;                               /* although the kernel is known to die of it */
    enum pvboot_hypervisor hypervisor;                /* describe it in a setup_data node? */
    bool strict;                                      /* honour setup_type_max: leave out what it does not list */
    bool has_rng_seed;
    uint8_t rng_seed[32];
    enum pvboot_sandbox sandbox; /* of the kernel's parser; the planner does not care */
    struct pvboot_limits limits;
    struct pvboot_digests digests;
    struct pvboot_source ramdisk_from[PVBOOT_RAMDISKS_MAX]; /* of those that are not in memory */
};

/* One key of the configuration, as text, into the request; the same table serves xl's config and the CLI.
 * Keys: entry, stub_entry, subarch, hypervisor, digests, strict, force_subarch, rng_seed, sandbox, kernel_max,
 * unpacked_max, ramdisk_max (in MiB).  -USAGE: unknown key (with a
 * suggestion), a key that the xl plugin keeps for itself (ramdisks, dump), or a value that is not of its type. */
int pvboot_request_set(struct pvboot_request *req, const char *key, const char *value, struct pvboot_error *e);
/* Defaults: auto, also in the stub; pc; hypervisor xen. */
void pvboot_request_init(struct pvboot_request *req);
/* May grow: image.h.  Initialised; what its strings and ramdisks point to stays the caller's. */
struct pvboot_request *pvboot_request_new(void);
void pvboot_request_free(struct pvboot_request *req);

enum pvboot_segment_id {
    PVBOOT_SEG_KERNEL, /* the whole window */
    PVBOOT_SEG_RAMDISK,
    PVBOOT_SEG_ZERO_PAGE,
    PVBOOT_SEG_CMDLINE,
    PVBOOT_SEG_SETUP_DATA,
    PVBOOT_SEG_START_INFO,
    PVBOOT_SEG_GDT,
    PVBOOT_SEG_PAGE_TABLES,
    PVBOOT_SEG_P2M,
    PVBOOT_SEG_STACK,
    PVBOOT_SEG_ACPI,
    PVBOOT_SEG_SPECIAL,
    PVBOOT_SEGMENTS,
};
const char *pvboot_segment_name(enum pvboot_segment_id id); /* "zero page", ... */

struct pvboot_segment {
    uint64_t start, end; /* [start, end), page aligned but for ACPI; both 0: this path has none */
    uint64_t bytes;      /* that are written from @start; the rest is zero */
    char why[112];
};

/* Registers of vCPU 0 at its first instruction; docs/handover.md has what is the same for all. */
struct pvboot_vcpu {
    uint32_t mode; /* 32 or 64 */
    uint64_t rip, rsi, rbx;
    uint64_t cr0, cr3, cr4, efer;
    uint64_t gdt_gpa;
    uint32_t gdt_limit;
    uint16_t cs, ds; /* selectors; es and ss are as ds, fs and gs are 0 */
};

/* What a PV start has besides.  [0, ->mapped_end) is mapped from ->virt_base on. */
struct pvboot_pv {
    uint64_t virt_base, mapped_end;
    uint64_t p2m_va;        /* of the p2m list */
    uint64_t rsp;           /* the end of the boot stack; a virtual address, as rip and rsi are */
    uint64_t hypercall_gpa; /* of the page that Xen fills; UINT64_MAX: none */
};

struct pvboot_plan {
    enum pvboot_path path;
    char path_why[320]; /* for auto: why not the others */
    struct pvboot_machine machine;
    struct pvboot_memmap e820; /* what the guest is told: machine.map with the ISA hole reserved */
    struct pvboot_segment seg[PVBOOT_SEGMENTS];
    struct pvboot_vcpu vcpu;
    uint64_t kernel_load_gpa;   /* where the kernel's bytes go: start of its window */
    uint64_t kernel_load_bytes; /* bzImage's protected-mode part, or the ELF's span */
    int64_t elf_delta;          /* added to each load's gpa */
    uint64_t handover_gpa;      /* the hypervisor node in the setup_data chain; 0: none */
    uint32_t subarch;
    uint64_t subarch_data;
    char notes[8][160]; /* remarks for the administrator: left out by strict, KASLR off, ... */
    struct pvboot_pv pv;
};

/* May grow: image.h. */
struct pvboot_plan *pvboot_plan_new(void);
void pvboot_plan_free(struct pvboot_plan *plan);

/*
 * Choose an address for everything @req needs.  Pure.
 * @plan is all zero after a failure; @machine must not lie in it.
 * -UNSUPPORTED the image does not offer the entry, its kernel dies of the subarch, or a PV kernel would lie in Xen's own
 * addresses; -LIMIT the command line is longer than the kernel takes, too many ramdisks, a PV domain of over 64 GiB; -NOFIT
 * no hole fits (text names object, bytes and the room there is); -USAGE the request contradicts itself, or a PV machine is to have another entry than pv, or the other way round.
 */
int pvboot_plan_make(struct pvboot_plan *plan, const struct pvboot_image *img, const struct pvboot_machine *machine,
                     const struct pvboot_request *req, struct pvboot_error *e);

/*
 * What the kernel's image brings along, as systemd-stub would hand it over: its .ucode and .initrd before @req's ramdisks,
 * its command line where @req has none.  Views into @k, which must outlive @req.  To be called once, when @req has its own
 * ramdisks.  -LIMIT: more than PVBOOT_RAMDISKS_MAX ramdisks.
 */
int pvboot_request_embedded(struct pvboot_request *req, const struct pvboot_kernel *k, struct pvboot_error *e);

/* Add to @plan's notes what there is to say about @k's wrapper and @req's ramdisks, of which four bytes are looked at. */
void pvboot_plan_remark_inputs(struct pvboot_plan *plan, const struct pvboot_kernel *k,
                               const struct pvboot_request *req);

/*
 * The part of pvboot_plan_make() that needs no machine: does @img offer @req's entry, may it have its subarch?
 * For refusing before a domain exists.  Errors as pvboot_plan_make(), but for -NOFIT.  Of a path into the ELF the
 * first question is left open while @img is packed; not so of auto.
 */
int pvboot_plan_possible(const struct pvboot_image *img, const struct pvboot_request *req, struct pvboot_error *e);

/*
 * Is @plan legal for @img?  Shares no code with the planner: overlap, window, 4 GiB, initrd_addr_max, holes,
 * alignment, entry, registers, page-table cover.  -INTERNAL names the rule that is broken.
 */
int pvboot_plan_check(const struct pvboot_plan *plan, const struct pvboot_image *img, struct pvboot_error *e);

#ifdef __cplusplus
}
#endif

#endif
