# SPDX-License-Identifier: LGPL-2.1-only
"""make demo: one guest by builder="pvboot" on a real Xen, from the plan to what the guest reads back."""

import re
import subprocess
import tarfile
import time

from ..base import kernels, packages, paths, ready, tarball
from ..base.errors import LabError
from ..machine import install
from ..machine.host import Host
from ..guests import evidence, images
from ..judges import readback

KERNEL = "6.1"
EXAMPLE = "linux64.cfg"
DUMP = "/tmp/pvboot-dump"
# Of some 250 lines of a kernel's boot, those that tell what it found.
TELLING = re.compile(r"Linux version|Command line|BIOS-e820|[Hh]ypervisor|\bRSDP\b|RAMDISK|\bXen\b|\bxen\b|smp: Brought|initrd|Run /init")
SECONDS = 120


def demo() -> int:
    ready.ensure()
    store = packages.Store()
    out = paths.made(paths.lab() / "demo")
    kernel = kernels.image(store, kernels.KERNELS[KERNEL])
    ramdisk = images.initramfs(store, "amd64")
    config = (paths.REPO / "xl-config-examples" / EXAMPLE).read_text()
    _say(f"xl-config-examples/{EXAMPLE}")
    print(config)
    _say("the plan, made here without Xen")
    _plan(kernel, ramdisk)
    host = Host(out / "host")
    try:
        _say("a real Xen, emulated by QEMU")
        seconds = host.boot(store)
        print(f"Xen {host.xen()}, dom0 and its toolstack are up after {seconds:.0f} s")
        install.push(host)
        _place(host, kernel, ramdisk)
        wrong = _guest(host, out)
    finally:
        host.stop()
    print(f"\nwhole console, dump and evidence: {out}")
    return 1 if wrong else 0


def _say(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def _plan(kernel, ramdisk) -> None:
    done = subprocess.run([paths.own_build() / "pvboot", "plan", "--entry", "linux64", "--memory", "256", "--ramdisk", ramdisk,
                           "--cmdline", "console=hvc0", kernel])
    if done.returncode:
        raise LabError(f"pvboot plan: exit {done.returncode}")


def _place(host: Host, kernel, ramdisk) -> None:
    """Where the example looks for them."""
    host.put(kernel, "/vmlinuz")
    host.put(ramdisk, "/initrd.img")
    host.put(paths.REPO / "xl-config-examples" / EXAMPLE, f"/root/{EXAMPLE}")


def _guest(host: Host, out) -> bool:
    """Create it, show its console, compare. True: something differs."""
    name = EXAMPLE.removesuffix(".cfg")
    command = f"xl create {EXAMPLE} 'pvboot_dump=\"{DUMP}\"'"
    _say(f"dom0# {command}")
    print(host.check(f"cd /root && {install.XL.removesuffix('/xl')}/{command}"), end="")
    print(host.check("xl list"), end="")
    _say("the guest's own console")
    console = _follow(host, f"/var/log/xen/console/guest-{name}.log")
    (out / "console.log").write_text(console)
    found = evidence.parse(console)
    evidence.save(found, out)
    print(f"guest_type {found.tree('hypervisor').get('guest_type')}, {found.text('uname').strip()}")
    _say("planned / what the guest reads back")
    host.check(f"tar -C {DUMP} -cf /tmp/dump.tar .")
    (out / "dump.tar").write_bytes(host.get("/tmp/dump.tar"))
    with tarfile.open(out / "dump.tar") as archive:
        tarball.extract(archive, out / "dump")
    rows = readback.against_dump(out / "dump", found, out / "boot_params.bin")
    print(readback.table(rows), end="")
    wrong = [row for row in rows if row.wrong]
    print(f"{len(rows)} fields, {len(wrong)} differ without a reason")
    host.check(f"xl destroy {name}")
    return bool(wrong)


def _follow(host: Host, log: str) -> str:
    """Print the kernel's telling lines as they come; the whole text once the guest has said everything."""
    shown, deadline = 0, host.clock() + SECONDS
    while True:
        text = host.run(f"cat {log}")[1].replace("\r", "")
        lines = text.split("@@pvboot-begin", 1)[0].splitlines(keepends=True)
        complete = lines if "@@pvboot-begin" in text else lines[:-1]
        for line in complete[shown:]:
            if TELLING.search(line):
                print("  | " + line, end="", flush=True)
        shown = len(complete)
        if evidence.rounds(text):
            return text
        if host.clock() > deadline:
            raise LabError(f"no userland after {SECONDS} s")
        time.sleep(1)
