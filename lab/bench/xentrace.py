# SPDX-License-Identifier: LGPL-2.1-only
"""How often Xen was entered by dom0, from xentrace's file (xen/include/public/trace.h)."""

import dataclasses
import struct

_EVENT, _EXTRA_SHIFT, _EXTRA, _CYCLES = 0x0fffffff, 28, 7, 1 << 31
_ENTRY_CLASS, _HYPERCALL = 0x00201000, 0x0020100d  # TRC_PV_ENTRY; TRC_PV_HYPERCALL_V2
_LOST = 0x0001f001
_OP, _IRET = 0xfffff, 23                           # __HYPERVISOR_iret


@dataclasses.dataclass
class Entries:
    hypercalls: int = 0  # but for iret
    irets: int = 0       # how a PV kernel returns to a program
    others: int = 0      # page faults, traps and emulated instructions
    lost: int = 0        # records that did not fit: then the others are too few

    @property
    def all(self) -> int:
        return self.hypercalls + self.irets + self.others


def read(data: bytes) -> Entries:
    entries, at = Entries(), 0
    while at + 4 <= len(data):
        header, = struct.unpack_from("<I", data, at)
        at += 4 + (8 if header & _CYCLES else 0)
        words = header >> _EXTRA_SHIFT & _EXTRA
        extra = struct.unpack_from(f"<{words}I", data, at) if at + 4 * words <= len(data) else ()
        at += 4 * words
        _add(entries, header & _EVENT, extra)
    return entries


def _add(entries: Entries, event: int, extra: tuple[int, ...]) -> None:
    if event == _LOST and extra:
        entries.lost += extra[0]
    elif event == _HYPERCALL and extra:
        if extra[0] & _OP == _IRET:
            entries.irets += 1
        else:
            entries.hypercalls += 1
    elif event & ~0xfff == _ENTRY_CLASS:
        entries.others += 1
