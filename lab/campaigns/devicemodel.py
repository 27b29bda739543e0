# SPDX-License-Identifier: LGPL-2.1-only
"""The device model in a stub domain: stock libxl, Debian's Linux and QEMU in that domain, and a guest that tells what devices
it has; once more with the plugin in xl, which has no part in it."""

import re
import time

from ..base import kernels, paths
from ..base.errors import Timeout
from ..guests import device_model, images
from ..machine.host import BY_INSTRUCTIONS
from ..machine.install import STOCK_XL, XL
from . import census
from .testbed import Testbed, prepared

EXAMPLE = paths.REPO / "examples/devicemodel/guest.cfg"
NAME, AT = "modelled", "/srv/modelled"  # as it says
TRIES = 3      # the emulator loses a guest now and then, see ../README.md
SECONDS = 400
DEVICES = {"8086:1237": "QEMU's host bridge", "8086:7000": "its ISA bridge", "5853:0001": "Xen's platform device"}


def devicemodel() -> int:
    # libxl waits half a minute of dom0's time for the stub domain: a busy machine must not count
    with prepared("devicemodel", accelerator=BY_INSTRUCTIONS, more=device_model.in_dom0) as testbed:
        for name, file in {"vmlinuz": kernels.image(testbed.store, kernels.KERNELS[device_model.KERNEL]),
                           "ramdisk": device_model.ramdisk(testbed.store), "disk": images.boot_disk(), "cfg": EXAMPLE}.items():
            testbed.host.put_once(file, f"{AT}/{name}")
        _warm_up(testbed)
        for way, xl in {"stock xl": STOCK_XL, "xl with the plugin": XL}.items():
            _guest(testbed, way, xl)
        return 1 if any(step.wrong for step in testbed.steps) else 0


def _warm_up(testbed: Testbed) -> None:
    """The first guest of a boot, and the first with a QEMU in dom0, leave empty directories in xenstore, whoever makes them."""
    lines = ('name="warm-up"', 'type="pvh"', f'kernel="{AT}/vmlinuz"', "memory=64",
             f'disk=["format=raw,vdev=xvda,access=r,backendtype=qdisk,target={AT}/disk"]')
    config = " ".join(f"'{line}'" for line in lines)
    testbed.host.check(f"printf '%s\\n' {config} > {AT}/warm-up && {STOCK_XL} create -p {AT}/warm-up && {STOCK_XL} destroy warm-up")


def _guest(testbed: Testbed, way: str, xl: str) -> None:
    before, started = testbed.settled(), time.monotonic()
    for tries in range(TRIES):
        try:
            rc, out, err = testbed.host.run(_script(xl), SECONDS)
        except Timeout as late:
            testbed.host.run(f"{STOCK_XL} destroy {NAME}")
            rc, out, err = 1, "", str(late)
        testbed.keep(f"{way.replace(' ', '-')}-{tries}.log", out + err)
        wrong = f"exit {rc}: {err.strip()[-300:]}" if rc else judge(out)
        if not wrong:
            break
    after = testbed.settled()
    left = [line for line in census.compare(before, after) if not line.startswith("free pages")]  # as launch.py has it
    wrong = wrong or "; ".join(left)
    way += f", try {tries + 1}" if tries else ""
    print(f"{way}: {time.monotonic() - started:.0f} s: {wrong or 'as it should'}", flush=True)
    testbed.add("guest", way, time.monotonic() - started, after, wrong)


def _script(xl: str) -> str:
    return f"""
        rm -f {AT}/serial /var/log/xen/*-{NAME}*
        {xl} create {AT}/cfg >&2
        rc=$?
        for i in $(seq 100); do [ $rc = 0 ] && ! grep -qs '@@sector-done@@' {AT}/serial && sleep 0.5; done
        echo "@guest $({STOCK_XL} domid {NAME})"
        echo "@stub $({STOCK_XL} domid {NAME}-dm)"
        {STOCK_XL} list
        for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $p; echo; done | grep '^/{device_model.QEMU}'
        xenstore-ls -f
        {STOCK_XL} qemu-monitor-command {NAME} 'info status'
        cat {AT}/serial
        for log in /var/log/xen/*-{NAME}*; do echo "== $log"; cat $log; done >&2
        {STOCK_XL} destroy {NAME} >&2
        exit $rc"""


def judge(said: str) -> str:
    """Does the guest run, with its device model in the other domain and not in dom0?"""
    domids = dict(re.findall(r"^@(guest|stub) (\d+)$", said, re.M))
    if len(domids) < 2:
        return f"domains: {domids}"
    guest, stub = domids["guest"], domids["stub"]
    nodes = {f"/local/domain/{guest}/image/device-model-domid": stub, f"/local/domain/{stub}/target": guest,
             f"/local/domain/{stub}/device-model/{guest}/state": "running"}
    for node, value in nodes.items():
        if f'{node} = "{value}"' not in said.splitlines():
            return f"{node} is not {value}"
    served = re.findall(rf"^/{device_model.QEMU} -xen-domid (\d+) ", said, re.M)
    if served != [stub]:
        return f"QEMU runs in dom0 for {served}, not for the stub domain's consoles alone"
    if "VM status: running" not in said:
        return "QEMU does not answer"
    return _told(said.replace("\r", "").partition("@@sector-begin@@")[2].splitlines())


def _told(lines: list[str]) -> str:
    wanted = {"hypervisor XenVMMXenVMM": "Xen", **{f"pci {number}": what for number, what in DEVICES.items()},
              "@@sector-done@@": "its end"}
    return next((f"the guest does not tell of {what}" for line, what in wanted.items() if line not in lines), "")
