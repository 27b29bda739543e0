# SPDX-License-Identifier: LGPL-2.1-only
"""The hypervisor's node, put there by GRUB's configuration alone (claim C13; docs/handover.md has the layout).

GRUB copies the setup header from the kernel's file, setup_data with it.  So the file names an address, and grub.cfg writes
the node there, by `write_dword` of the module memrw, before it starts the kernel.
"""

import struct
import zlib

GPA = 0x98000       # conventional memory that GRUB, the PVH domain builder and Linux leave alone
SETUP_DATA = 0x250  # in the file, boot.rst
TYPE = 0x50595648
FILLER = 3          # a boot loader
MODULE = "memrw"


def kernel(image: bytes) -> bytes:
    """The bzImage with `setup_data` in its header."""
    return image[:SETUP_DATA] + struct.pack("<Q", GPA) + image[SETUP_DATA + 8:]


def node() -> bytes:
    """A struct setup_data and its payload: of Xen, with no data of its own."""
    def payload(crc: int) -> bytes:
        return struct.pack("<4sHHII4s12sIIQIIQ", b"PVBH", 1, 1, 64, crc, b"XenV", b"XenVMMXenVMM", FILLER, 0, 0, 0, 64, 0)
    body = payload(zlib.crc32(payload(0)))
    return struct.pack("<QII", 0, TYPE, len(body)) + body


def commands() -> str:
    """For grub.cfg."""
    return "".join(f"write_dword {GPA + 4 * n:#x} {word:#x}\n" for n, (word,) in enumerate(struct.iter_unpack("<I", node())))
