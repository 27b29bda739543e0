# SPDX-License-Identifier: LGPL-2.1-only
"""What xl and Xen say when something went wrong."""

import re

TRIPLE_FAULT = "Triple fault - invoking HVM shutdown"  # Xen's words; the domain then asks for a reboot

# Linux' words when this emulation told it two sizes of the XSAVE area. Up to 6.12 it goes on without XSAVE; 7.2 dies of it.
XSAVE_LOST = re.compile(r"XSAVE consistency problem: .*Kernel panic", re.S)


def complaint(said: str) -> str:
    """The line of xl's output that tells why: ours, else its first error."""
    for pattern in (r"^.*pvboot: \w+: .*$", r"^.*(?:xc: error|libxl: error|xl: ).*$", r"^.*(?:rror|nvalid).*$"):
        match = re.search(pattern, said, re.M)
        if match:
            return match.group(0).strip()
    lines = said.strip().splitlines()
    return lines[-1] if lines else "without a word"
