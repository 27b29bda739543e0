/* SPDX-License-Identifier: LGPL-2.1-only */
#include "mkimage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void resize(struct mk *m, size_t len)
{
    uint8_t *p = realloc(m->p, len ? len : 1);

    if (!p)
        die("realloc");
    if (len > m->len)
        memset(p + m->len, 0, len - m->len);
    m->p = p;
    m->len = len;
}

void mk_put(struct mk *m, size_t off, const void *src, size_t n)
{
    if (off + n > m->len)
        resize(m, off + n);
    if (n)
        memcpy(m->p + off, src, n);
}

void mk_le(struct mk *m, size_t off, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) {
        uint8_t byte = (uint8_t)(i < sizeof(value) ? value >> 8 * i : 0);

        mk_put(m, off + i, &byte, 1);
    }
}

void mk_cut(struct mk *m, size_t len)
{
    resize(m, len);
}

struct mk mk_copy(const struct mk *m)
{
    struct mk c = { 0 };

    mk_put(&c, 0, m->p, m->len);
    return c;
}

void mk_free(struct mk *m)
{
    free(m->p);
    *m = (struct mk){ 0 };
}

struct pvboot_bytes mk_bytes(const struct mk *m)
{
    return (struct pvboot_bytes){ m->p, m->len };
}

void mk_pokes(struct mk *m, const struct mk_poke *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mk_le(m, p[i].off, p[i].width, p[i].value);
}

struct mk mk_bzimage(const struct mk *payload)
{
    struct mk m = { 0 };
    size_t end;

    mk_le(&m, BZ_SETUP_SECTS, 1, 4);
    mk_le(&m, BZ_BOOT_FLAG, 2, 0xaa55);
    mk_put(&m, BZ_JUMP, "\xeb\x6a", 2); /* to 0x26c */
    mk_put(&m, BZ_HEADER, "HdrS", 4);
    mk_le(&m, BZ_VERSION, 2, 0x020f);
    mk_le(&m, BZ_KERNEL_VERSION, 2, BZ_VERSION_TEXT - 0x200);
    mk_le(&m, BZ_LOADFLAGS, 1, 0x01);
    mk_le(&m, BZ_CODE32_START, 4, 0x100000);
    mk_le(&m, BZ_INITRD_ADDR_MAX, 4, 0x7fffffff);
    mk_le(&m, BZ_KERNEL_ALIGNMENT, 4, 0x200000);
    mk_le(&m, BZ_RELOCATABLE, 1, 1);
    mk_le(&m, BZ_XLOADFLAGS, 2, 0x7f);
    mk_le(&m, BZ_CMDLINE_SIZE, 4, 2047);
    mk_le(&m, BZ_PAYLOAD_OFFSET, 4, BZ_PAYLOAD);
    mk_le(&m, BZ_PAYLOAD_LENGTH, 4, payload->len);
    mk_le(&m, BZ_PREF_ADDRESS, 8, 0x1000000);
    mk_le(&m, BZ_INIT_SIZE, 4, 0x3f98000);
    mk_le(&m, BZ_KERNEL_INFO, 4, BZ_INFO);
    mk_put(&m, BZ_VERSION_TEXT, "6.1.0-test (someone) #1", 24);
    mk_put(&m, BZ_KERNEL + BZ_INFO, "LToP\x10\0\0\0\x10\0\0\0\x09\0\0\x80", 16);
    mk_put(&m, BZ_KERNEL + BZ_PAYLOAD, payload->p, payload->len);
    end = (m.len - BZ_KERNEL + 15) / 16 * 16;
    mk_cut(&m, BZ_KERNEL + end);
    mk_le(&m, BZ_SYSSIZE, 4, end / 16);
    return m;
}

/* Words that pack, but not to nothing; 0xe8 now and then for the x86 filter. */
static void fill(struct mk *m, size_t off, size_t n)
{
    uint32_t x = 1;

    mk_le(m, off + n - 1, 1, 0);
    for (size_t i = 0; i < n; i++) {
        x = x * 1103515245 + 12345;
        m->p[off + i] = i % 64 ? (uint8_t)(x >> 16 & 0x37) : 0xe8;
    }
}

static void program_header(struct mk *m, unsigned bits, unsigned i, uint32_t type, const uint64_t v[6])
{
    static const size_t off64[] = { 8, 16, 24, 32, 40, 48 }; /* offset vaddr paddr filesz memsz align */
    static const size_t off32[] = { 4, 8, 12, 16, 20, 28 };
    size_t at = bits == 64 ? PH64(i, 0) : 52u + 32u * i;

    mk_le(m, at, 4, type);
    for (unsigned f = 0; f < 6; f++)
        mk_le(m, at + (bits == 64 ? off64[f] : off32[f]), bits / 8, v[f]);
}

struct mk mk_elf(unsigned bits, size_t text)
{
    struct mk m = { 0 };
    uint64_t base = bits == 64 ? 0xffffffff80000000 : 0xc0000000, start = 0x1000000;
    uint64_t data = (start + text + 0x1fffff) & ~0x1fffffull;
    size_t at;

    mk_put(&m, 0,
           bits == 64 ? "\x7f"
                        "ELF\2\1\1"
                      : "\x7f"
                        "ELF\1\1\1",
           7);
    mk_le(&m, E_TYPE, 2, 2);
    mk_le(&m, E_MACHINE, 2, bits == 64 ? 62 : 3);
    mk_le(&m, 20, 4, 1);
    mk_le(&m, 24, bits / 8, start);
    mk_le(&m, bits == 64 ? E64_PHOFF : 28, bits / 8, bits == 64 ? 64 : 52);
    mk_le(&m, bits == 64 ? 52 : 40, 2, bits == 64 ? 64 : 52);
    mk_le(&m, bits == 64 ? E64_PHENTSIZE : 42, 2, bits == 64 ? 56 : 32);
    mk_le(&m, bits == 64 ? E64_PHNUM : 44, 2, 3);
    at = mk_note(&m, ELF_NOTES, "Xen", 6, "linux", 6);
    at = mk_note(&m, at, "Xen", 18, "\x50\x08\0\x01\0\0\0", bits / 8);
    program_header(&m, bits, 0, 1, (uint64_t[]){ ELF_TEXT, base + start, start, text, text, 0x200000 });
    program_header(
        &m, bits, 1, 1,
        (uint64_t[]){ ELF_TEXT + text, base + data, data, ELF_DATA_BYTES, ELF_DATA_BYTES + ELF_BSS_BYTES, 0x200000 });
    program_header(&m, bits, 2, 4, (uint64_t[]){ ELF_NOTES, 0, 0, at - ELF_NOTES, at - ELF_NOTES, 4 });
    fill(&m, ELF_TEXT, text + ELF_DATA_BYTES);
    return m;
}

size_t mk_note(struct mk *m, size_t off, const char *owner, uint32_t type, const void *desc, uint32_t n)
{
    uint32_t name = (uint32_t)strlen(owner) + 1;

    mk_le(m, off, 4, name);
    mk_le(m, off + 4, 4, n);
    mk_le(m, off + 8, 4, type);
    mk_put(m, off + 12, owner, name);
    off += 12 + (name + 3) / 4 * 4;
    mk_put(m, off, desc, n);
    return off + (n + 3) / 4 * 4;
}

static size_t number_note(struct mk *m, size_t at, const struct mk_pv *pv, uint32_t type, uint64_t value)
{
    bool other = pv->note.off == type;
    uint64_t v = other ? pv->note.value : value;

    return mk_note(m, at, "Xen", type, &v, other ? pv->note.width : 8);
}

struct mk mk_pv_elf(size_t text, const struct mk_pv *pv)
{
    const char *features = pv->features ? pv->features : "!writable_page_tables|pae_pgdir_above_4gb";
    struct mk m = mk_elf(64, text);
    size_t at = ELF_NOTES;

    at = mk_note(&m, at, "Xen", 6, "linux", 6);
    at = mk_note(&m, at, "Xen", 5, "xen-3.0", 8);
    at = mk_note(&m, at, "Xen", 8, "generic", 8);
    at = mk_note(&m, at, "Xen", 10, features, (uint32_t)strlen(features) + 1);
    at = number_note(&m, at, pv, 1, pv->base + 0x1000000);
    if (!pv->no_hypercall_page)
        at = number_note(&m, at, pv, 2, pv->base + 0x1001000);
    at = number_note(&m, at, pv, 3, pv->base);
    at = number_note(&m, at, pv, 4, 0);
    if (!pv->old) {
        at = number_note(&m, at, pv, 15, pv->init_p2m ? pv->init_p2m : 0x8000000000);
        at = number_note(&m, at, pv, 16, 1);
    }
    mk_notes_end(&m, at);
    for (size_t i = 0; i < 2; i++)
        mk_le(&m, PH64(i, P64_FLAGS), 4, 7); /* stock loads nothing else */
    return m;
}

void mk_notes_end(struct mk *m, size_t end)
{
    mk_le(m, PH64(2, P64_FILESZ), 8, end - ELF_NOTES);
    mk_le(m, PH64(2, P64_MEMSZ), 8, end - ELF_NOTES);
}

static void read_back(struct mk *m, const char *name)
{
    int fd = open(name, O_RDONLY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st))
        die(name);
    resize(m, (size_t)st.st_size);
    if (read(fd, m->p, m->len) != st.st_size)
        die(name);
    close(fd);
}

struct mk mk_run(const char *cmd, const struct mk *in)
{
    char from[] = "/tmp/pvboot-unit.XXXXXX", to[] = "/tmp/pvboot-unit.XXXXXX", line[512];
    struct mk out = { 0 };
    int in_fd = mkstemp(from), out_fd = mkstemp(to);

    if (in_fd < 0 || out_fd < 0 || write(in_fd, in->p, in->len) != (ssize_t)in->len)
        die(from);
    close(in_fd);
    close(out_fd);
    snprintf(line, sizeof(line), "{ %s; } < %s > %s", cmd, from, to);
    if (system(line)) {
        fprintf(stderr, "%s: failed\n", cmd);
        exit(1);
    }
    read_back(&out, to);
    unlink(from);
    unlink(to);
    return out;
}

struct mk mk_pack(enum pvboot_codec codec, const struct mk *unpacked)
{
    static const char *const tool[] = {
        [PVBOOT_CODEC_NONE] = "cat",
        [PVBOOT_CODEC_GZIP] = "gzip -n -9",
        [PVBOOT_CODEC_BZIP2] = "bzip2 -9",
        [PVBOOT_CODEC_LZMA] = "xz --format=lzma -9",
        [PVBOOT_CODEC_XZ] = "xz --check=crc32 --x86 --lzma2=dict=32MiB",
        [PVBOOT_CODEC_LZO] = "lzop -9 -c",
        [PVBOOT_CODEC_LZ4] = "lz4 -q -l -9 - -",
        [PVBOOT_CODEC_ZSTD] = "zstd -q -22 --ultra",
    };
    struct mk m = mk_run(tool[codec], unpacked);

    if (codec != PVBOOT_CODEC_NONE && codec != PVBOOT_CODEC_GZIP) /* gzip and ELF end as they end */
        mk_le(&m, m.len, 4, unpacked->len);
    return m;
}
