/* SPDX-License-Identifier: LGPL-2.1-only */
#include "probe.h"

void probe_main(void);

extern unsigned long probe_saved[17];

#if defined(ENTRY_PVH)
#define ENTRY "pvh"
#elif defined(ENTRY_LINUX32)
#define ENTRY "linux32"
#elif defined(ENTRY_LINUX64)
#define ENTRY "linux64"
#else
#define ENTRY "vmlinux64"
#endif

#define RBX 3
#define RSI 6

void probe_main(void)
{
    put("\n"); /* whatever was in the log's line before */
    fact_text("entry", ENTRY);
    report_registers();
    report_paging();
#ifdef ENTRY_PVH
    report_start_info(probe_saved[RBX]);
#else
    report_zero_page(probe_saved[RSI]);
#endif
    end();
}
