/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The memory map against a model, one type per cell; then free room in it against the same cells; then guests in it.
 * Cells are pages at addresses where carries and 64-bit ends are near.
 */
#include "builder/plan/plan.h"
#include "fuzz.h"

#define CELLS 96u
#define NOTHING 0u

static const uint64_t origin[] = { 0, 0x90000, 0x100000000 - 48 * PVB_PAGE, 0x7fffffffffff0000,
                                   0ull - (CELLS + 1) * PVB_PAGE };

static uint32_t type_at(const struct pvboot_memmap *m, uint64_t gpa)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->r[i].start <= gpa && gpa < m->r[i].end)
            return m->r[i].type;
    return NOTHING;
}

static void must_agree(const struct pvboot_memmap *m, const uint8_t *cell, uint64_t base)
{
    uint64_t ram = 0;

    FUZZ_MUST(pvboot_memmap_valid(m));
    for (unsigned int i = 0; i < CELLS; i++) {
        uint64_t gpa = base + i * PVB_PAGE;

        FUZZ_MUST(type_at(m, gpa) == cell[i] && type_at(m, gpa + PVB_PAGE - 1) == cell[i]);
        FUZZ_MUST(pvboot_memmap_inside(m, gpa, gpa + PVB_PAGE, PVBOOT_RAM) == (cell[i] == PVBOOT_RAM));
        ram += cell[i] == PVBOOT_RAM ? PVB_PAGE : 0;
    }
    FUZZ_MUST(pvboot_memmap_bytes(m, PVBOOT_RAM) == ram);
    for (size_t i = 1; i < m->n; i++) /* joined where they can be */
        FUZZ_MUST(m->r[i - 1].end < m->r[i].start || m->r[i - 1].type != m->r[i].type);
}

/* Is every cell of @n from @first on free? */
static bool cells_free(const uint8_t *cell, uint64_t first, uint64_t n)
{
    if (first > CELLS || n > CELLS - first)
        return false;
    for (uint64_t i = first; i < first + n; i++)
        if (cell[i] != PVBOOT_RAM)
            return false;
    return true;
}

/* First fit, from below and from above, by looking at every cell. */
static void must_find(const struct pvb_room *room, const uint8_t *cell, uint64_t base, struct pvb_want w)
{
    uint64_t low = UINT64_MAX, high = UINT64_MAX, found;

    for (uint64_t i = 0; i < CELLS; i++) {
        uint64_t at = base + i * PVB_PAGE, n = w.bytes / PVB_PAGE;

        if (at < w.from || at > w.limit || w.bytes > w.limit - at || (at - w.phase) % w.align ||
            !cells_free(cell, i, n))
            continue;
        low = low == UINT64_MAX ? at : low;
        high = at;
    }
    FUZZ_MUST(pvb_room_lowest(room, &w, &found) == (low != UINT64_MAX));
    FUZZ_MUST(low == UINT64_MAX || found == low);
    FUZZ_MUST(pvb_room_highest(room, &w, &found) == (high != UINT64_MAX));
    FUZZ_MUST(high == UINT64_MAX || found == high);
}

static void search(struct pvboot_bytes *in, const struct pvboot_memmap *m, uint8_t *cell, uint64_t base)
{
    struct pvb_room room;
    uint64_t at;

    pvb_room_init(&room, m);
    for (unsigned int n = 0; in->len && n < 16; n++) {
        struct pvb_want w = { .bytes = (1 + fuzz_byte(in) % 20u) * PVB_PAGE, .align = PVB_PAGE << fuzz_byte(in) % 4 };

        w.phase = fuzz_byte(in) % 8u * PVB_PAGE & (w.align - 1);
        w.from = base + fuzz_byte(in) % CELLS * PVB_PAGE;
        w.limit = base + fuzz_byte(in) % (CELLS + 1) * PVB_PAGE;
        must_find(&room, cell, base, w);
        if (!pvb_room_lowest(&room, &w, &at))
            continue;
        pvb_room_take(&room, at, w.bytes);
        memset(cell + (at - base) / PVB_PAGE, NOTHING, (size_t)(w.bytes / PVB_PAGE));
    }
}

/* A machine with this map, however odd, and the smallest of kernels. */
static void start(const struct pvboot_memmap *m, struct pvboot_bytes *in, uint64_t base)
{
    static const uint8_t bytes[PVB_PAGE];
    static struct fuzz_wish w;
    static struct pvboot_kernel k;
    uint64_t at = base + fuzz_byte(in) % CELLS * PVB_PAGE;

    k = (struct pvboot_kernel){ .file = { bytes, sizeof(bytes) }, .elf = { bytes, sizeof(bytes) } };
    k.image = (struct pvboot_image){ .format = PVBOOT_FORMAT_ELF, .has_elf = true, .file_bytes = sizeof(bytes) };
    k.image.elf = (struct pvboot_elf){
        .is64 = true, .machine = 62, .entry_gpa = at, .n_loads = 1, .load[0] = { at, PVB_PAGE, 0, PVB_PAGE }
    };
    k.image.elf.notes.linux_note = true;
    if (at <= UINT32_MAX) {
        k.image.elf.notes.has_phys32_entry = true;
        k.image.elf.notes.phys32_entry = at;
    }
    k.image.elf.window =
        (struct pvboot_window){ .pref_gpa = at, .bytes = PVB_PAGE, .align = PVB_PAGE, .max_gpa = UINT64_MAX };
    fuzz_verified(&k.image, sizeof(bytes));
    fuzz_wish(&w, in);
    w.possible = true;
    w.machine = (struct pvboot_machine){ .map = *m, .vcpus = 1 };
    w.machine.rsdp_gpa = base + fuzz_byte(in) % CELLS * PVB_PAGE;
    w.machine.special_start = base + fuzz_byte(in) % CELLS * PVB_PAGE;
    w.machine.special_end = w.machine.special_start + fuzz_byte(in) % 3 * PVB_PAGE;
    fuzz_start(&k, &w, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pvboot_bytes in = { data, size };
    static struct pvboot_memmap m;
    uint8_t cell[CELLS] = { 0 };
    uint64_t base = origin[fuzz_byte(&in) % (sizeof(origin) / sizeof(origin[0]))];
    unsigned int steps = fuzz_byte(&in) % 64;

    m.n = 0;
    while (steps-- && in.len) {
        unsigned int first = fuzz_byte(&in) % CELLS, n = fuzz_byte(&in) % 32, type = 1 + fuzz_byte(&in) % 5u;
        struct pvboot_error e = { 0 };
        int rc;

        n = n > CELLS - first ? CELLS - first : n;
        rc = pvboot_memmap_set(&m, base + first * PVB_PAGE, base + (first + n) * PVB_PAGE, type, &e);
        fuzz_judge(rc, &e);
        FUZZ_MUST(!rc == (n > 0));
        memset(cell + first, (int)type, n);
        must_agree(&m, cell, base);
    }
    start(&m, &in, base);
    search(&in, &m, cell, base);
    return 0;
}
