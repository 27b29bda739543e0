/* SPDX-License-Identifier: LGPL-2.1-only */
/* Kernels as values, with the figures of real files (readelf and the setup header), and short ways to plan them. */
#ifndef PLAN_FIXTURE_H
#define PLAN_FIXTURE_H

#include <pvboot/plan.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* Debian's 6.1.0-56-amd64 and 6.1.0-50-686-pae with their unpacked payloads. */
struct pvboot_image fixture_amd64(void);
struct pvboot_image fixture_686_pae(void);
/* A 32-bit kernel of protocol 2.09 that must run where it was linked, 1 MiB: no pref_address, no xloadflags. */
struct pvboot_image fixture_old32(void);
/* A PVH ELF that is no Linux, linked at 1 MiB; one that says how it may be moved. */
struct pvboot_image fixture_unikernel(void);
struct pvboot_image fixture_movable(uint32_t align, uint32_t min, uint32_t max);

/* The first of these with the PV notes of a Linux, and a domain for it. */
#define FIXTURE_PV_BASE 0xffffffff80000000
#define FIXTURE_PV_P2M 0x8000000000
struct pvboot_image fixture_pv(void);
struct pvboot_machine fixture_pv_machine(uint64_t memory);

/* A request for @path with @cmdline and one ramdisk of @ramdisk bytes (0: none), whose bytes do not exist. */
struct pvboot_request fixture_request(enum pvboot_path path, const char *cmdline, size_t ramdisk);
/* A stock machine; a machine with the ranges given, up to one that is empty, and nothing else. */
struct pvboot_machine fixture_machine(uint64_t memory);
struct pvboot_machine fixture_map(const struct pvboot_range *r);

/* Without Xen's headers there is no start info, so no PVH guest: its rows are left out. */
bool can_plan(enum pvboot_path path);

/* pvboot_plan_make() into plan and refusal; what it made must pass the check. */
extern struct pvboot_plan plan;
extern struct pvboot_error refusal;
int make_plan(const struct pvboot_image *img, const struct pvboot_machine *m, const struct pvboot_request *req);

#endif
