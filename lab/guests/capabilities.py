# SPDX-License-Identifier: LGPL-2.1-only
"""What this emulation can do, found out by asking it.  A case that needs more is skipped with the answer."""

import time

from ..base.errors import LabError
from ..machine import dom0
from ..machine.host import Host
from ..machine.install import STOCK_XL
from . import evidence, images

PAE_MISSING = ("32-bit PAE guests do not run in this emulation: it sets the accessed bit in page directory pointer"
               " entries, which Xen takes for malformed (seen by the probe guest)")
_SECONDS = 20


def pae(host: Host) -> bool:
    """Can a 32-bit PAE kernel run?  Asked of a guest of a few instructions (pae.S)."""
    kernel = host.put_once(images.pae_probe(), f"{dom0.DIRECTORY}/guest-pae")
    host.check(f"""
        printf 'name = "pae-probe"\\ntype = "pvh"\\nkernel = "{kernel}"\\nmemory = 64\\n' > /tmp/pae-probe.cfg
        xl create /tmp/pae-probe.cfg""")
    domid = int(host.check("xl domid pae-probe"))
    try:
        deadline = host.clock() + _SECONDS
        while host.clock() < deadline:
            said = evidence.from_xen_log(host.log(), domid)
            if "@@pvboot-pae works@@" in said:
                return True
            if "@@pvboot-pae spoilt@@" in said:
                return False
            time.sleep(0.1)
    finally:
        host.check("xl destroy pae-probe")
    raise LabError(f"the PAE probe guest said nothing within {_SECONDS} s")


def next_domid(host: Host) -> int:
    """The number of a domain that is made and destroyed for it: Xen counts up."""
    kernel = host.put_once(images.pae_probe(), f"{dom0.DIRECTORY}/guest-pae")
    return int(host.check(f"""
        printf 'name = "next-domid"\\ntype = "pvh"\\nkernel = "{kernel}"\\nmemory = 64\\n' > /tmp/next-domid.cfg
        {STOCK_XL} create -q -p /tmp/next-domid.cfg && xl domid next-domid && xl destroy next-domid""").split()[-1])


def tsc_khz(host: Host) -> int:
    """For kernels that cannot calibrate, having no timer they know."""
    line = host.check("xl info | grep cpu_mhz")
    return round(float(line.split(":")[1]) * 1000)
