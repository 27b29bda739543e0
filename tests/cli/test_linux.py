# SPDX-License-Identifier: LGPL-2.1-only
"""The patches of linux/ without a Linux: their form, and the reader that they add, beside that of handover.h.

Two readers of one format, of which neither has a line of the other: for each payload both have to say the same.
"""
import pathlib
import re
import subprocess

import pytest
from test_freestanding import ROWS, payload

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERIES = sorted((ROOT / "linux").glob("*.patch"))
UAPI = "arch/x86/include/uapi/asm/setup_data.h"
READER = "arch/x86/include/asm/shared/setup_hypervisor.h"
OUTCOMES = "arch/x86/include/asm/early_hypervisor.h"
# What the kernel's own headers give beside those of its user space.
SHIMS = {
    "linux/stddef.h": "#include <stddef.h>\n",
    "linux/linkage.h": "#define asmlinkage\n",
    "linux/types.h": "#include_next <linux/types.h>\n#include <stdbool.h>\n#include <stdint.h>\n"
                     "typedef uint8_t u8;\ntypedef uint32_t u32;\ntypedef uint64_t u64;\n"
                     "#define __always_inline inline __attribute__((always_inline))\n",
}
# Since Linux 6.10 it is a file of its own, which bootparam.h includes.
OF_THIS_MACHINE = "#pragma once\n#if __has_include_next(<asm/setup_data.h>)\n#include_next <asm/setup_data.h>\n#endif\n"
SOURCE = r"""
#include <stdio.h>
#include <string.h>
#include <asm/bootparam.h>
#include <pvboot/handover.h>
#include <asm/shared/setup_hypervisor.h>

_Static_assert(SETUP_HYPERVISOR == PVBOOT_SETUP_TYPE, "type");
_Static_assert(SETUP_HYPERVISOR_MAGIC == PVBOOT_HANDOVER_MAGIC, "magic");
_Static_assert(SETUP_HYPERVISOR_TOOLSTACK == PVBOOT_FILLER_TOOLSTACK && SETUP_HYPERVISOR_STUB == PVBOOT_FILLER_STUB &&
               SETUP_HYPERVISOR_LOADER == PVBOOT_FILLER_LOADER, "fillers");
_Static_assert(EARLY_HYPERVISOR_XEN == PVBOOT_HYPERVISOR_ID_XEN, "Xen");

static _Alignas(8) unsigned char memory[0x4000];

static bool setup_hypervisor_mapped(u64 addr, u64 bytes)
{
    const u64 start = (uintptr_t)memory;

    return addr >= start && bytes <= sizeof(memory) && addr - start <= sizeof(memory) - bytes;
}

static const uint8_t *at(const void *ctx, uint64_t gpa, uint64_t n)
{
    (void)ctx;
    return setup_hypervisor_mapped(gpa, n) ? (const uint8_t *)(uintptr_t)gpa : NULL;
}

static int theirs(uint64_t head)
{
    /* in their numbers, by ours; both readers' SHORT and LENGTH are one */
    static const int of[] = { [EARLY_HYPERVISOR_ABSENT] = PVBOOT_HANDOVER_ABSENT,
        [EARLY_HYPERVISOR_FOUND] = PVBOOT_HANDOVER_OK, [EARLY_HYPERVISOR_LOOP] = PVBOOT_HANDOVER_LOOP,
        [EARLY_HYPERVISOR_UNMAPPED] = PVBOOT_HANDOVER_UNREADABLE, [EARLY_HYPERVISOR_LENGTH] = PVBOOT_HANDOVER_SHORT,
        [EARLY_HYPERVISOR_MAGIC] = PVBOOT_HANDOVER_BAD_MAGIC, [EARLY_HYPERVISOR_VERSION] = PVBOOT_HANDOVER_BAD_VERSION,
        [EARLY_HYPERVISOR_CHECKSUM] = PVBOOT_HANDOVER_BAD_CHECKSUM,
        [EARLY_HYPERVISOR_SIGNATURE] = PVBOOT_HANDOVER_BAD_SIGNATURE, [EARLY_HYPERVISOR_TLV] = PVBOOT_HANDOVER_BAD_TLV };
    const struct setup_hypervisor *node;

    return of[setup_hypervisor_find(head, &node)];
}

static int ours(uint64_t head)
{
    const struct pvboot_view view = { at, NULL };
    struct pvboot_handover h;
    const uint8_t *payload;

    return (int)pvboot_handover_find(head, view, &h, &payload);
}

static unsigned long asked, differed, seen[16];

static int ask(uint64_t head)
{
    int a = ours(head), b = theirs(head);

    asked++;
    seen[a]++;
    if (a != b && !differed++)
        printf("handover.h says %d, Linux %d\n", a, b);
    return a;
}

static struct setup_data *entry(unsigned off, uint64_t next, uint32_t type, uint32_t len)
{
    struct setup_data *e = (struct setup_data *)(memory + off);

    e->next = next;
    e->type = type;
    e->len = len;
    return e;
}

static void seal(uint8_t *p, uint32_t n)
{
    uint32_t crc = pvboot_handover_checksum(p, n);

    memcpy(p + 12, &crc, sizeof(crc));
}

/* Each bit of the payload turned: as it is, and with a checksum that is right again. */
static void flips(struct setup_data *e, uint32_t n)
{
    uint8_t *p = e->data;
    uint32_t was, bytes;

    memcpy(&was, p + 12, sizeof(was));
    for (uint32_t bit = 0; bit < 8 * n; bit++) {
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ask((uintptr_t)e);
        memcpy(&bytes, p + 8, sizeof(bytes));
        if (bytes >= 64 && bytes <= n) {
            seal(p, bytes);
            ask((uintptr_t)e);
        }
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memcpy(p + 12, &was, sizeof(was));
    }
}

/* TLVs that begin anywhere. */
static void offsets(struct setup_data *e, uint32_t n)
{
    uint8_t *p = e->data;
    uint32_t was, off;

    memcpy(&was, p + 52, sizeof(was));
    for (off = 0; off < n + 16; off++) {
        memcpy(p + 52, &off, sizeof(off));
        seal(p, n);
        ask((uintptr_t)e);
    }
    memcpy(p + 52, &was, sizeof(was));
    seal(p, n);
}

/* Cut anywhere, where memory ends: the sanitizer sees who reads on. */
static void ends(const uint8_t *p, uint32_t n)
{
    for (uint32_t bytes = 64; bytes <= n; bytes++) {
        struct setup_data *e = entry(sizeof(memory) - 16 - bytes, 0, PVBOOT_SETUP_TYPE, bytes);

        memcpy(e->data, p, bytes);
        memcpy(e->data + 8, &bytes, sizeof(bytes));
        seal(e->data, bytes);
        ask((uintptr_t)e);
    }
}

/* Chains around a good node: behind others, indirect, cut off by the end of memory, without an end. */
static void chains(struct setup_data *e, uint32_t n)
{
    uint64_t good = (uintptr_t)e, end = (uintptr_t)memory + sizeof(memory);
    struct setup_data *first = entry(0x2000, good, 9, 32), *second = entry(0x2100, 0, 1u << 31, 24);
    struct setup_indirect *inner = (struct setup_indirect *)second->data;

    ask((uintptr_t)first);
    first->next = (uintptr_t)first;
    ask((uintptr_t)first);
    first->next = (uintptr_t)second;
    for (unsigned which = 0; which < 2; which++)
        for (uint64_t where = 0; where < 3; where++)
            for (uint32_t len = n - 1; len < n + 2; len++) {
                inner->type = which ? PVBOOT_SETUP_TYPE | 1u << 31 : 9;
                inner->len = len;
                inner->addr = where == 2 ? end - n : where ? 8 : (uintptr_t)e->data;
                ask((uintptr_t)first);
            }
    second->len = 23;
    ask((uintptr_t)first);
    for (uint64_t head = end - 64; head < end + 64; head += 8)
        ask(head);
    ask(0);
    ask(UINT64_MAX);
    for (e->len = 0; e->len < n + 32; e->len++)
        ask(good);
    for (e->len = sizeof(memory) - 256; e->len < sizeof(memory) + 256; e->len++)
        ask(good);
}

int main(void)
{
    struct setup_data *e = entry(0, 0, PVBOOT_SETUP_TYPE, 0);
    uint32_t n = (uint32_t)fread(e->data, 1, 0x1000, stdin);
    int first;

    e->len = n;
    first = ask((uintptr_t)e);
    flips(e, n);
    if (first == PVBOOT_HANDOVER_OK && n % 8 == 0)
        offsets(e, n);
    chains(e, n);
    ends(e->data, n);
    printf("%d %lu %lu", first, asked, differed);
    for (unsigned i = 0; i < 16; i++)
        printf(" %lu", seen[i]);
    putchar('\n');
    return differed != 0;
}
"""


def added(path):
    """What the first patch that knows a file adds to it."""
    for patch in SERIES:
        for part in re.split(r"^diff --git ", patch.read_text(), flags=re.M)[1:]:
            if part.startswith(f"a/{path} "):
                return "".join(f"{line[1:]}\n" for line in part.splitlines() if re.match(r"\+(?!\+\+ )", line))
    raise LookupError(path)


def test_form():
    """As for a list of the kernel's: numbered, argued, signed off, each with its licence where the tree's check looks."""
    count = len(SERIES)
    assert count > 2
    for number, patch in enumerate(SERIES, 1):
        head, _, _ = patch.read_text().partition("\n---\n")
        assert patch.name.startswith(f"{number:04}-") and f"\nSubject: [PATCH {number}/{count}] x86/" in head
        assert re.search(r"^Signed-off-by: .+ <.+>$", head, re.M)
        body = head.partition("\n\n")[2].partition("\nSigned-off-by")[0]
        assert len(body) > 400 and max(map(len, body.splitlines())) <= 75


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    d = tmp_path_factory.mktemp("linux")
    files = {**SHIMS, "asm/setup_data.h": f"{OF_THIS_MACHINE}{added(UAPI)}", "asm/shared/setup_hypervisor.h": added(READER),
             "asm/early_hypervisor.h": added(OUTCOMES)}
    for name, text in files.items():
        (d / "include" / name).parent.mkdir(parents=True, exist_ok=True)
        (d / "include" / name).write_text(text)
    (d / "readers.c").write_text(SOURCE)
    subprocess.run(["gcc", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror",
                    "-Wno-sign-compare", "-Wno-unused-parameter", "-fsanitize=address,undefined",
                    "-fno-sanitize=alignment,shift", "-fno-sanitize-recover=all", f"-I{ROOT}/include", f"-I{d}/include",
                    "-o", d / "readers", d / "readers.c"], check=True)
    return d / "readers"


def said(readers, data):
    done = subprocess.run([readers], input=data, capture_output=True, text=False)
    assert (done.returncode, done.stderr) == (0, b""), done
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("name, data, want", ROWS, ids=[r[0] for r in ROWS])
def test_both_readers_say_the_same(readers, name, data, want):
    first, asked, differed, *_ = said(readers, data)
    assert (first, differed) == (want, 0) and asked > 500


def test_each_outcome_is_met(readers):
    """Among what is asked of both there is every reason not to believe a node."""
    *_, = seen = said(readers, payload(tail=bytes(4) + b"\x08\0\0\0" + bytes(8)))[3:]
    assert all(seen[:10])
