# SPDX-License-Identifier: LGPL-2.1-only
"""xenstored in a domain of its own: a dom0 without one, a Linux domain that runs Debian's, stock guests through it; and what
our tools say once it is gone."""

import re
import time
from pathlib import Path

from ..base import paths
from ..base.errors import LabError
from ..cases.case import Case
from ..guests import evidence, store_domain
from ..machine import dom0
from ..machine.install import LIBDIR, STOCK_XL, XL
from .testbed import KERNEL, Testbed, prepared

HELPER = f"{LIBDIR}/pvboot-init-xenstore-domain"
DOM0_KERNEL = "6.1"  # whose modules the ramdisk has
TRIES = 3            # the emulator loses a guest now and then, see ../README.md
SECONDS = 200
GUESTS = (Case("first", "xl-pvh", KERNEL), Case("second", "xl-pvh", KERNEL))
NODES = ("/tool/xenstored/domid", "/local/domain/{0}/domid", "/local/domain/{0}/name", "/local/domain/{0}/memory/target",
         "/local/domain/{0}/console/ring-ref", "/local/domain/0/backend/console/{0}/0/frontend")
GONE = "pvboot: {}: domain {}, which served xenstore, has ended"


def stubdom() -> int:
    unikernel = paths.build() / "examples" / "unikernel.elf"
    if not unikernel.exists():
        raise LabError(f"{unikernel.name} is missing; run: make examples")
    with prepared("stubdom", words="pvlab.xenstored=none") as testbed:
        at = testbed.files()
        at["store"] = testbed.host.put_once(store_domain.ramdisk(testbed.store), f"{dom0.DIRECTORY}/xenstored.cpio")
        domid = _serve(testbed, at)
        if domid:
            _second(testbed, at, domid)
            for guest in GUESTS:
                _guest(testbed, guest, at)
            _launched(testbed, at)
            _unikernel(testbed, unikernel)
            _end(testbed, at, domid)
        wrong = [step for step in testbed.steps if step.wrong]
        return 1 if wrong or not domid else 0


def _say(testbed: Testbed, what: str, started: float, wrong: str) -> None:
    print(f"{what}: {time.monotonic() - started:.0f} s: {wrong or 'as it should'}", flush=True)
    testbed.note(what, time.monotonic() - started, wrong)


def _helper(at: dict[str, str]) -> str:
    return (f"{HELPER} --kernel {at[DOM0_KERNEL]} --ramdisk {at['store']} --memory 128 --name Xenstore"
            " --param 'console=hvc0 quiet' -v")


def _serve(testbed: Testbed, at: dict[str, str]) -> int:
    """The number of the domain; 0: it does not serve."""
    for attempt in range(TRIES):
        started = time.monotonic()
        rc, _, err = testbed.host.run(_helper(at), SECONDS)
        testbed.keep(f"helper-{attempt}.log", err)
        if not rc:
            break
    else:
        _say(testbed, "xenstored's domain", started, f"exit {rc}: {err.strip()[-300:]}")
        return 0
    out = testbed.host.check("""
        cat /var/run/xen/xenstored.pid
        /usr/lib/xen-*/bin/xen-init-dom0 >&2
        xenconsoled --log=guest --log-dir=/var/log/xen/console --pid-file=/run/xenconsoled.pid""", SECONDS)
    domid = int(re.search(r"^domid:(\d+)$", out, re.M).group(1))
    paths = " ".join(node.format(domid) for node in NODES)
    nodes = testbed.host.check(f"for n in {paths}; do echo \"$n $(xenstore-read $n)\"; done; ls /var/lib/xen; {STOCK_XL} list",
                               SECONDS)
    testbed.keep("nodes.txt", nodes)
    named = re.search(rf"^Xenstore +{domid} ", nodes, re.M)
    _say(testbed, "xenstored's domain", started, "" if named else f"xl list does not name it: {nodes[-200:]}")
    return domid


def _second(testbed: Testbed, at: dict[str, str], domid: int) -> None:
    started = time.monotonic()
    rc, _, err = testbed.host.run(_helper(at), SECONDS)
    wanted = f"serves xenstore already: {domid}\n"
    _say(testbed, "a second one is refused", started, "" if rc == 64 and err.endswith(wanted) else f"exit {rc}: {err[-200:]}")


def _guest(testbed: Testbed, guest: Case, at: dict[str, str]) -> None:
    """Stock xl and a stock guest, which find nothing unusual."""
    started = time.monotonic()
    config = testbed.config(guest, at[guest.kernel], at["ramdisk"])
    log = f"/var/log/xen/console/guest-{guest.name}.log"
    wrong = ""
    for _ in range(TRIES):
        rc, out, err = testbed.host.run(f"""
            {STOCK_XL} create {config} >&2 || exit
            for i in $(seq 300); do
                grep -q '@@pvboot-done' {log} && break
                {STOCK_XL} list {guest.name} | grep -q ' ...[sc].. ' && break
                sleep 0.5
            done
            cat {log}""", SECONDS)
        testbed.keep(f"{guest.name}.log", out + err)
        try:
            kind = evidence.parse(out).tree("hypervisor").get("guest_type")
            wrong = "" if kind == "PVH" else f"guest_type is {kind}"
            break
        except ValueError as error:
            wrong = f"exit {rc}: {error}: {err[-200:]}"
            testbed.host.run(f"{STOCK_XL} destroy {guest.name}; rm -f {log}", SECONDS)
    _say(testbed, f"stock guest {guest.name}", started, wrong)


def _launched(testbed: Testbed, at: dict[str, str]) -> None:
    started = time.monotonic()
    rc, out, err = testbed.host.run(f"""
        pvboot launch --name ours --memory 128 --paused --ramdisk {at['ramdisk']} {at[KERNEL]} && pvboot list &&
        pvboot destroy ours && ! xenstore-ls -fp | grep ours""", SECONDS)
    testbed.keep("launched.txt", out + err)
    _say(testbed, "launch, list, destroy", started, "" if not rc and " launch\n" in out else f"exit {rc}: {err[-200:]}")


def _unikernel(testbed: Testbed, program: Path) -> None:
    """examples/unikernel, by launch and by stock xl: it says what it was handed, and goes when xenstore tells it to.

    Without vcpus= xl 4.17 gives so small a domain too few pages for page tables, see docs/stubdom.md.
    """
    kernel = testbed.host.put_once(program, f"{dom0.DIRECTORY}/unikernel.elf")
    ways = {"launch": f"pvboot launch --name uni --memory 16 --cmdline hello --wait {kernel} > /dev/null & job=$!",
            "xl": f"""printf '%s\\n' 'name="uni"' 'type="pvh"' 'kernel="{kernel}"' 'cmdline="hello"' 'memory=16' 'vcpus=1' > /tmp/uni.cfg
                     {STOCK_XL} create -F /tmp/uni.cfg & job=$!"""}
    for way, command in ways.items():
        started = time.monotonic()
        log = "/var/log/xen/console/guest-uni.log"
        rc, out, err = testbed.host.run(f"""
            rm -f {log}
            {command}
            for i in $(seq 200); do grep -qs 'waits for' {log} && break; sleep 0.1; done
            id=$({STOCK_XL} domid uni) && xenstore-read /local/domain/$id/data/unikernel &&
            xenstore-write /local/domain/$id/control/shutdown poweroff
            wait $job
            echo "@ended $?"
            cat {log}
            {STOCK_XL} list uni && {STOCK_XL} destroy uni""", SECONDS)
        testbed.keep(f"unikernel-{way}.log", out + err)
        wanted = ("up", "@ended 0", 'command line "hello"', "poweroff: good bye")
        _say(testbed, f"unikernel by {way}", started, "".join(f"no {w!r}; " for w in wanted if w not in out))


def _end(testbed: Testbed, at: dict[str, str], domid: int) -> None:
    """One tool waits for a guest meanwhile, which goes on."""
    started = time.monotonic()
    config = testbed.config(Case("late-xl", "linux64", KERNEL), at[KERNEL], at["ramdisk"])
    rc, out, err = testbed.host.run(f"""
        pvboot launch --name waits --memory 128 --wait --ramdisk {at['ramdisk']} {at[KERNEL]} > /tmp/domid 2> /tmp/wait &
        until [ -s /tmp/domid ]; do sleep 0.2; done
        pvboot destroy --force {domid}
        echo "@destroy $?"
        pvboot list
        echo "@list $?"
        pvboot launch --name late --memory 128 {at[KERNEL]}
        echo "@launch $?"
        {XL} create {config} > /dev/null
        echo "@xl $?"
        pvboot destroy $(cat /tmp/domid)
        echo "@ours $?"
        wait $!
        echo "@wait $?"
        cat /tmp/wait >&2""", SECONDS)
    testbed.keep("end.txt", out + err)
    codes = dict(re.findall(r"^@(\w+) (\d+)$", out, re.M))
    wanted = {"destroy": "0", "list": "0", "launch": "72", "xl": "1", "ours": "0", "wait": "6"}
    wrong = "" if codes == wanted else f"exit codes {codes}"
    lines = [line for line in err.splitlines() if line.startswith("pvboot: ")]
    if not wrong and sum("which served xenstore, has ended" in line for line in lines) != len(wanted):
        wrong = f"said: {lines}"
    _say(testbed, "its end", started, wrong)
