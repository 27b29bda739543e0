/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Kernel images written byte by byte at the offsets their specifications print, never by the structs the parser
 * reads them with; payloads come from the tools a kernel build runs.
 * Specs: Linux Documentation/arch/x86/boot.rst; gABI "ELF Header", "Program Header", "Note Section".
 */
#ifndef MKIMAGE_H
#define MKIMAGE_H

#include <pvboot/image.h>

/* Grows with zeros as it is written to; always exactly allocated, so a sanitizer sees one byte too far. */
struct mk {
    uint8_t *p;
    size_t len;
};

void mk_put(struct mk *m, size_t off, const void *src, size_t n);
void mk_le(struct mk *m, size_t off, unsigned width, uint64_t value); /* little endian, any width */
void mk_cut(struct mk *m, size_t len);
struct mk mk_copy(const struct mk *m);
void mk_free(struct mk *m);
struct pvboot_bytes mk_bytes(const struct mk *m);

/* One change to a good image; width 0: none. */
struct mk_poke {
    size_t off;
    unsigned width;
    uint64_t value;
};
void mk_pokes(struct mk *m, const struct mk_poke *p, size_t n);

/* boot.rst's table */
enum {
    BZ_SETUP_SECTS = 0x1f1,
    BZ_SYSSIZE = 0x1f4,
    BZ_BOOT_FLAG = 0x1fe,
    BZ_JUMP = 0x200,
    BZ_HEADER = 0x202,
    BZ_VERSION = 0x206,
    BZ_KERNEL_VERSION = 0x20e,
    BZ_LOADFLAGS = 0x211,
    BZ_CODE32_START = 0x214,
    BZ_RAMDISK_IMAGE = 0x218,
    BZ_RAMDISK_SIZE = 0x21c,
    BZ_CMD_LINE_PTR = 0x228,
    BZ_INITRD_ADDR_MAX = 0x22c,
    BZ_KERNEL_ALIGNMENT = 0x230,
    BZ_RELOCATABLE = 0x234,
    BZ_XLOADFLAGS = 0x236,
    BZ_CMDLINE_SIZE = 0x238,
    BZ_PAYLOAD_OFFSET = 0x248,
    BZ_PAYLOAD_LENGTH = 0x24c,
    BZ_SETUP_DATA = 0x250,
    BZ_PREF_ADDRESS = 0x258,
    BZ_INIT_SIZE = 0x260,
    BZ_KERNEL_INFO = 0x268,
};

/* Where mk_bzimage() puts things. */
enum { BZ_VERSION_TEXT = 0x600, BZ_KERNEL = 0xa00, BZ_INFO = 0x100, BZ_PAYLOAD = 0x400 };

/* Protocol 2.15, 64-bit, 4 setup sectors, all fields of a stock kernel; @payload with its trailer. */
struct mk mk_bzimage(const struct mk *payload);

/* gABI; one name, two classes. */
enum {
    EI_CLASS_OFF = 4,
    EI_DATA_OFF = 5,
    E_TYPE = 16,
    E_MACHINE = 18,
    E64_ENTRY = 24,
    E64_PHOFF = 32,
    E64_SHOFF = 40,
    E64_PHENTSIZE = 54,
    E64_PHNUM = 56,
    E64_SHNUM = 60,
    E64_SHSTRNDX = 62,
    P64_FLAGS = 4,
    P64_OFFSET = 8,
    P64_VADDR = 16,
    P64_PADDR = 24,
    P64_FILESZ = 32,
    P64_MEMSZ = 40,
    P64_ALIGN = 48,
};
#define PH64(i, field) (64u + 56u * (unsigned)(i) + (field))

/*
 * A vmlinux-like ELF of @bits 32 or 64: text of @text bytes (whole pages) at 16 MiB, then data with bss, then the
 * notes of a Xen-aware Linux: program headers 0, 1, 2.  Entry physical, at the start of the text.
 */
enum { ELF_NOTES = 0x400, ELF_TEXT = 0x1000, ELF_DATA_BYTES = 0x1000, ELF_BSS_BYTES = 0x2000 };
struct mk mk_elf(unsigned bits, size_t text);

/* One note at @off; returns where the next one goes. */
size_t mk_note(struct mk *m, size_t off, const char *owner, uint32_t type, const void *desc, uint32_t n);
/* Let the 64-bit image's PT_NOTE be [ELF_NOTES, @end). */
void mk_notes_end(struct mk *m, size_t end);

/* What mk_pv_elf() has besides. */
struct mk_pv {
    bool old;               /* Linux before 3.9: it takes neither p2m list nor ramdisk that lie apart */
    bool no_hypercall_page; /* Linux since 2024 */
    uint64_t base;          /* VIRT_BASE */
    uint64_t init_p2m;      /* INIT_P2M, unless @old */
    const char *features;
    struct mk_poke
        note; /* ->off is a note's type, ->width bytes of ->value its contents: in place of the one there is */
};
/* mk_elf() of 64 bits that can be started as a PV guest, at the start of its text.  Spec: Xen public elfnote.h. */
struct mk mk_pv_elf(size_t text, const struct mk_pv *pv);

/* What the shell command @cmd makes of @in; the program fails when it fails. */
struct mk mk_run(const char *cmd, const struct mk *in);
/* @unpacked packed as scripts/Makefile.lib of a kernel does, with the trailer. */
struct mk mk_pack(enum pvboot_codec codec, const struct mk *unpacked);

#endif
