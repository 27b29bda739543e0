/* SPDX-License-Identifier: LGPL-2.1-only */
/* Where the probe kernels lie; shared by C, assembler and the linker script. */
#ifndef PROBE_LAYOUT_H
#define PROBE_LAYOUT_H

#define LOAD_GPA 0x1000000    /* as Linux */
#define WINDOW_BYTES 0x200000 /* init_size */
#define STARTUP_64_OFF 0x200
#define AP_GPA 0x8000    /* start-up code of the other processors */
#define AP_MAILBOX 0xff0 /* in that page */

#endif
