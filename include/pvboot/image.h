/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a kernel file is: format, entries, window, notes.  A plain value without pointers, so that a
 * confined helper process can hand it over; the bytes it speaks of travel beside it.
 *
 * Specifications: Linux Documentation/arch/x86/boot.rst (setup header, kernel_info); the ELF gABI;
 * Xen docs/misc/pvh.pandoc and xen/include/public/elfnote.h (notes).
 */
#ifndef PVBOOT_IMAGE_H
#define PVBOOT_IMAGE_H

#include <pvboot/file.h>
#include <pvboot/limits.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How the vCPU enters the guest and who fills the zero page.  Ids are the same in config, CLI and JSON. */
enum pvboot_path {
    PVBOOT_PATH_AUTO,
    PVBOOT_PATH_PVH,       /* PHYS32_ENTRY, 32-bit, EBX = hvm_start_info */
    PVBOOT_PATH_LINUX32,   /* bzImage startup_32, ESI = zero page */
    PVBOOT_PATH_LINUX64,   /* bzImage startup_64, RSI = zero page, long mode */
    PVBOOT_PATH_VMLINUX64, /* startup_64 of the unpacked ELF, RSI = zero page, long mode */
    PVBOOT_PATH_STUB,      /* our PVH ELF; it fills the zero page inside the guest */
    PVBOOT_PATH_PV,        /* Xen's paravirtual start: RSI = start_info, Xen's page tables, in a PV domain */
    PVBOOT_PATHS,
};

/* "auto", "pvh", ...; NULL for a number that is no path. */
const char *pvboot_path_name(enum pvboot_path path);
/* The path called @name, or PVBOOT_PATHS when there is none. */
enum pvboot_path pvboot_path_find(const char *name);

enum pvboot_format { PVBOOT_FORMAT_BZIMAGE = 1, PVBOOT_FORMAT_ELF };

enum pvboot_codec {
    PVBOOT_CODEC_NONE, /* payload is the ELF itself */
    PVBOOT_CODEC_GZIP,
    PVBOOT_CODEC_BZIP2,
    PVBOOT_CODEC_LZMA,
    PVBOOT_CODEC_XZ,
    PVBOOT_CODEC_LZO,
    PVBOOT_CODEC_LZ4,
    PVBOOT_CODEC_ZSTD,
    PVBOOT_CODEC_UNKNOWN,
};
const char *pvboot_codec_name(enum pvboot_codec codec);

/* Where the kernel wants to lie, and everything it overwrites before it reads a memory map. */
struct pvboot_window {
    uint64_t pref_gpa; /* preferred start */
    uint64_t bytes;    /* init_size, or the ELF's span */
    uint64_t align;    /* power of two */
    uint64_t min_gpa;  /* inclusive bounds of a relocated start's range (PHYS32_RELOC); 0 and UINT64_MAX when free */
    uint64_t max_gpa;  /* highest byte it may occupy */
    bool relocatable;
};

/* The bzImage's setup header, checked.  Only fields that exist in @protocol are non-zero. */
struct pvboot_bzimage {
    uint16_t protocol;   /* 0x020f is 2.15 */
    uint8_t setup_sects; /* as it counts: never 0 */
    uint8_t loadflags;
    uint16_t xloadflags;
    uint32_t code32_start; /* 0: no 32-bit entry, only the 16-bit setup code (iPXE) */
    uint32_t header_bytes; /* of the setup header from 0x1f1: what the jump at 0x200 says */
    uint64_t kernel_off;   /* protected-mode part in the file */
    uint64_t kernel_bytes;
    struct pvboot_window window;
    uint32_t cmdline_max;     /* bytes without the NUL */
    uint64_t initrd_addr_max; /* highest byte an initrd may occupy */
    uint32_t setup_type_max;  /* from kernel_info; 0: not said */
    uint64_t info_off;        /* of kernel_info in the file; 0: the header does not say */
    uint64_t payload_off;     /* in the file; 0 bytes: the header does not say */
    uint64_t payload_bytes;
    uint64_t unpacked_bytes; /* as the payload's trailer says */
    enum pvboot_codec codec;
    char kernel_version[128]; /* "6.1.0-56-amd64 (...) #1 SMP ...", escaped; "" when absent */
};

struct pvboot_load {
    uint64_t gpa, mem_bytes;
    uint64_t off, file_bytes; /* in the ELF's bytes */
};

/* What `pvboot pack` puts behind the in-guest stub. */
enum pvboot_packed_part {
    PVBOOT_PACKED_KERNEL,
    PVBOOT_PACKED_RAMDISK,
    PVBOOT_PACKED_CMDLINE, /* text, without NUL */
    PVBOOT_PACKED_OPTIONS, /* text for the stub, "entry=linux64" */
    PVBOOT_PACKED_PARTS,
};
const char *pvboot_packed_name(enum pvboot_packed_part part); /* "kernel", ... */

struct pvboot_packed {
    bool there; /* false: all else is zero */
    struct {
        uint64_t off, bytes; /* in the ELF's bytes; 0 bytes: none */
    } part[PVBOOT_PACKED_PARTS];
    char kernel_version[128]; /* as of a bzImage */
};

/* Xen's ELF notes of a PV start, 64-bit; addresses are virtual where they say so.  Spec: elfnote.h. */
struct pvboot_pv_notes {
    bool has_entry, has_hypercall_page, has_init_p2m;
    bool mod_start_pfn; /* it takes a ramdisk that is not mapped */
    uint32_t malformed; /* the type of a note that is no number; 0: none */
    uint64_t entry_va;  /* without a note e_entry */
    uint64_t hypercall_page_va;
    uint64_t virt_base;          /* the virtual address of pseudo-physical 0 */
    uint64_t paddr_offset;       /* what p_paddr has that pseudo-physical addresses have not */
    uint64_t init_p2m_va;        /* where it wants the p2m list, apart from all else */
    uint64_t supported_features; /* bits: features.h */
    char unmet[48];              /* a feature it requires that no PV domain of ours has */
};

/* Xen's ELF notes that matter for starting, as found in PT_NOTE segments. */
struct pvboot_notes {
    bool has_phys32_entry;
    uint64_t phys32_entry; /* gpa */
    bool has_phys32_reloc; /* note 19 */
    uint32_t reloc_align, reloc_min, reloc_max;
    bool pvboot_stub; /* our own note: this ELF is the in-guest stub */
    bool linux_note;  /* a note owned by "Linux" (build salt, LTO): Linux even when built without Xen support */
    char guest_os[32], guest_version[32], xen_version[32], loader[32];
    char features[128];
    struct pvboot_packed packed; /* by our own note, too */
    struct pvboot_pv_notes pv;
};

struct pvboot_elf {
    bool is64;
    uint16_t machine;
    uint64_t entry_gpa; /* e_entry as a physical address */
    struct pvboot_window window;
    struct pvboot_notes notes;
    uint32_t n_loads;
    struct pvboot_load load[PVBOOT_LOADS_MAX];
};

/* What may be around a bzImage or ELF: one of these, and nothing around that. */
enum pvboot_wrapper_kind {
    PVBOOT_WRAPPER_NONE,
    PVBOOT_WRAPPER_PACKED, /* the file as gzip or another tool packs it */
    PVBOOT_WRAPPER_UKI,    /* unified kernel image: sections of a PE file */
    PVBOOT_WRAPPER_ZBOOT,  /* Linux's EFI zboot: a PE file with a packed kernel */
};
/* "packed", "uki", "zboot"; NULL for none. */
const char *pvboot_wrapper_name(enum pvboot_wrapper_kind kind);

/* Sections of a unified kernel image, besides .linux and .cmdline. */
enum pvboot_part_id { PVBOOT_PART_UCODE, PVBOOT_PART_INITRD, PVBOOT_PART_OSREL, PVBOOT_PART_UNAME, PVBOOT_PARTS };
const char *pvboot_part_name(enum pvboot_part_id id); /* ".ucode", ... */

struct pvboot_wrapper {
    enum pvboot_wrapper_kind kind;
    enum pvboot_codec codec; /* of packed and zboot */
    uint64_t off, bytes;     /* of the kernel in the file, packed where it is packed */
    uint64_t kernel_bytes;   /* of the kernel itself */
    struct {
        uint64_t off, bytes; /* in the file; 0 bytes: none */
    } part[PVBOOT_PARTS];
    uint32_t profiles;                    /* of a unified kernel image; the first one counts */
    char cmdline[PVBOOT_CMDLINE_MAX + 1]; /* its own, without control bytes; "": none */
};

struct pvboot_image {
    enum pvboot_format format;
    uint64_t file_bytes;       /* with its wrapper; offsets in ->bz and ->elf are in what is wrapped */
    bool has_bzimage, has_elf; /* has_elf: the file itself, or the unpacked payload */
    struct pvboot_bzimage bz;
    struct pvboot_elf elf;
    struct pvboot_wrapper wrapper;
};

/* A kernel: the checked value and the private bytes it describes. */
struct pvboot_kernel {
    struct pvboot_image image;
    struct pvboot_bytes whole;      /* the whole file */
    struct pvboot_bytes file;       /* the bzImage or ELF: the whole file, or what a wrapper holds */
    struct pvboot_bytes elf;        /* the ELF: ->file, or the unpacked payload; empty before unpacking */
    uint64_t unpacked_max;          /* bytes that wrapper and payload may unpack to; 0: PVBOOT_UNPACKED_MAX */
    bool confined;                  /* parsed by the helper of confine.h: this process never does */
    struct pvboot_source file_from; /* where ->whole is not all there: only its header is to be looked at */
    struct pvboot_source elf_from;  /* of what ->elf lies in, cheaper than to read it there */
    uint64_t elf_off;               /* of ->elf in ->elf_from */
    bool has_sha256;                /* what ->elf was unpacked from is known by its digest: */
    uint8_t sha256[32];             /* of the whole file */
    uint32_t n_seen;                /* PT_LOADs of a payload that was looked at and not unpacked; 0: none are known */
    struct pvboot_load seen[PVBOOT_LOADS_MAX];
    bool placed; /* the bytes of ->elf's PT_LOADs lie in a guest, at their own addresses, and nowhere else */
    struct pvboot_file own_file, own_kernel, own_elf; /* what pvboot_kernel_dispose() frees */
};

/*
 * struct pvboot_kernel, pvboot_request, pvboot_plan, pvboot_confine and pvboot_record may grow at their end within one
 * soname.  Who links to the shared library has them made by their _new(): zeroes, or what their _init() makes; NULL: no
 * memory.  _free() accepts NULL.  sizeof of them is for who is compiled together with the library.  All other
 * structures keep their size.
 */
struct pvboot_kernel *pvboot_kernel_new(void);
/* With all that pvboot_kernel_dispose() frees. */
void pvboot_kernel_free(struct pvboot_kernel *k);

/*
 * Parse @file (borrowed; must outlive @k) as bzImage or ELF, with or without a wrapper, which is unpacked; a payload is not.
 * -UNREADABLE empty; -UNSUPPORTED neither format, or a protocol too old for any entry; -MALFORMED; -LIMIT; -HOST.
 */
int pvboot_kernel_parse(struct pvboot_kernel *k, struct pvboot_bytes file, struct pvboot_error *e);
/* The same where wrapper and payload together may unpack to @unpacked_max bytes. */
int pvboot_kernel_parse_within(struct pvboot_kernel *k, struct pvboot_bytes file, uint64_t unpacked_max,
                               struct pvboot_error *e);

/*
 * Make the ELF available: unpack a bzImage's payload and parse it.  Does nothing for an ELF file or twice.
 * -MALFORMED, -UNSUPPORTED (codec not known, not built in), -LIMIT, -HOST; -INTERNAL for a confined kernel.
 */
int pvboot_kernel_unpack(struct pvboot_kernel *k, struct pvboot_error *e);

/*
 * Read @path into private memory and parse it, here: for a stranger's kernel there is pvboot_kernel_open_confined().
 * Regular files only, at most PVBOOT_KERNEL_MAX bytes, one open.
 * -UNREADABLE, -LIMIT, and what pvboot_kernel_parse() returns; @e names the file.
 */
int pvboot_kernel_open(struct pvboot_kernel *k, const char *path, struct pvboot_error *e);

/* Idempotent; accepts a zeroed struct. */
void pvboot_kernel_dispose(struct pvboot_kernel *k);

/*
 * Can this kernel be started through @path?  If not, @why gets the reason as one clause.  Needs the ELF for pvh and
 * vmlinux64.
 */
bool pvboot_image_offers(const struct pvboot_image *img, enum pvboot_path path, char *why, size_t why_bytes);

/* Does deciding about, or starting, @path need the unpacked ELF? */
bool pvboot_image_needs_elf(const struct pvboot_image *img, enum pvboot_path path);

/* First address the vCPU executes when the kernel's window starts at @kernel_gpa. */
uint64_t pvboot_image_entry(const struct pvboot_image *img, enum pvboot_path path, uint64_t kernel_gpa);

#ifdef __cplusplus
}
#endif

#endif
