# SPDX-License-Identifier: LGPL-2.1-only
"""Runs cases one after another on one machine, which is booted again if one of them takes it down."""

import dataclasses
import re
import time
from pathlib import Path

from . import cases, evidence, guest, kernels, leaks, packages, paths, push
from .cases import Case
from .errors import HostDead, LabError, Timeout
from .evidence import Evidence
from .host import Host

DOM0_DIR = "/var/lib/pvlab"
XL = {False: "/usr/sbin/xl", True: f"{push.LIBDIR}/bin/xl"}
SETTLE_SECONDS = 15  # for xl's monitor to notice that its domain is gone


@dataclasses.dataclass
class Result:
    case: Case
    status: str = "error"  # pass; fail: what is tested is at fault; error: the test is; broken: Xen died; skip
    reasons: list[str] = dataclasses.field(default_factory=list)
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    evidence: Evidence | None = None


class Runner:
    def __init__(self, host: Host, store: packages.Store, out: Path) -> None:
        self.host = host
        self.store = store
        self.out = out

    def run(self, case: Case) -> Result:
        """One case, whatever becomes of it; a machine it takes down gets a second chance, for the fault may be elsewhere."""
        started = time.monotonic()
        result = Result(case)
        reason = self._skip(case)
        if reason:
            result.status, result.reasons = "skip", [reason]
            return result
        for attempt in (1, 2):
            try:
                self._ready()
                self._attempt(case, result)
                break
            except HostDead as dead:
                result.status, result.reasons = "broken", [str(dead)]
                self._keep_log(case, f"xen-died-{attempt}.log")
            except (LabError, ValueError, OSError) as error:
                result.status, result.reasons = "error", [str(error)]
                break
        result.seconds["case"] = time.monotonic() - started
        return result

    # --- one attempt --------------------------------------------------------------------------------------------------

    def _attempt(self, case: Case, result: Result) -> None:
        directory = paths.made(self.out / case.name)
        problems, left = self._once(case, result, directory)
        once_only: list[str] = []
        if not problems and left and leaks.may_be_growth(left):
            once_only = left  # a leak repeats itself, a pool of Xen's that grew does not
            problems, left = self._once(case, result, directory)
        (directory / "leaks.txt").write_text("".join([f"once only: {x}\n" for x in once_only] + [f"{x}\n" for x in left]))
        problems += [f"left behind: {x}" for x in left]
        result.status, result.reasons = ("fail" if problems else "pass"), problems

    def _once(self, case: Case, result: Result, directory: Path) -> tuple[list[str], list[str]]:
        """Problems with the guest, and what it left behind."""
        before = self._snapshot()
        log_start = len(self.host.log())
        try:
            problems = self._boot_and_ask(case, result, directory)
        finally:
            if self.host.alive():
                self.host.run(f"xl destroy {case.name}")
                (directory / "xen.log").write_text(self.host.log()[log_start:])
        return problems, self._left_behind(before)

    def _boot_and_ask(self, case: Case, result: Result, directory: Path) -> list[str]:
        refusal = self._create(case, result, directory)
        if refusal is not None:
            return refusal
        problem = self._wait(case, 1)
        if not problem and case.action:
            self.host.check(f"{XL[case.needs_pvboot]} {case.action} {case.name}")
            problem = self._wait_action(case)
        result.seconds["guest"] = self._uptime() - result.seconds.pop("_start")
        console = self._console(case)
        (directory / "console.log").write_text(console)
        _, listing, _ = self.host.run(f"xl list -l {case.name}")
        (directory / "xl-list.json").write_text(listing)
        if problem:
            _, state, _ = self.host.run(f"xl list {case.name}; /usr/lib/xen-*/bin/xenctx $(xl domid {case.name})")
            (directory / "state.txt").write_text(state)
            return [problem]
        result.evidence = evidence.parse(console)
        save(result.evidence, directory)
        return expectations(case, result.evidence)

    def _create(self, case: Case, result: Result, directory: Path) -> list[str] | None:
        """xl create; None if there is a guest to look at, else what is wrong with how it was refused."""
        text = self._config(case)
        (directory / "xl.cfg").write_text(text)
        self.host.put(directory / "xl.cfg", f"/root/{case.name}.cfg")
        rc, out, err = self.host.run(f"""
            rm -f /var/log/xen/console/guest-{case.name}.log
            read before _ < /proc/uptime
            {XL[case.needs_pvboot]} -vvv create /root/{case.name}.cfg
            rc=$?
            read after _ < /proc/uptime
            echo "@time $before $after"
            exit $rc""", timeout=120)
        (directory / "xl-create.txt").write_text(err + out)
        before, after = map(float, re.search(r"@time (\S+) (\S+)", out).groups())
        result.seconds["create"] = after - before
        result.seconds["_start"] = before
        if rc == 0:
            return [f"xl create succeeded; it should have said {case.refused!r}"] if case.refused else None
        result.seconds.pop("_start")
        said = err + out
        if not case.refused:
            return [f"xl create: exit {rc}: {_complaint(said)}"]
        return [] if re.search(case.refused, said) else [f"xl create failed without saying {case.refused!r}: {_complaint(said)}"]

    def _config(self, case: Case) -> str:
        kernel = kernels.image(self.store, case.guest_kernel)
        image = guest.initramfs(self.store, case.guest_kernel.arch)
        return cases.config(case, self.host.put_once(kernel, f"{DOM0_DIR}/{kernel.name}"),
                            self.host.put_once(image, f"{DOM0_DIR}/{image.name}"))

    # --- waiting ------------------------------------------------------------------------------------------------------

    def _wait(self, case: Case, rounds: int) -> str | None:
        """Until the guest has printed its evidence so many times; or why it will not."""
        if case.port_e9:
            return self._wait_e9(case, rounds)
        log = f"/var/log/xen/console/guest-{case.name}.log"
        rc, _, _ = self.host.run(f"""
            end=$(($(date +%s) + {case.seconds}))
            while [ $(date +%s) -lt $end ]; do
                for i in 1 2 3 4 5 6 7 8; do
                    [ "$(grep -c '^@@pvboot-done' {log} 2>/dev/null)" -ge {rounds} ] 2>/dev/null && exit 0
                    sleep 0.2
                done
                xl list {case.name} > /tmp/state 2>&1 || exit 3
                tail -n 1 /tmp/state | grep -q ' ...[sc].. ' && exit 4
            done
            exit 5""", timeout=case.seconds + 30)
        if rc not in _WAITED:
            raise LabError(f"waiting for {case.id}: exit {rc}")
        return _WAITED[rc].format(seconds=case.seconds) or None

    def _wait_e9(self, case: Case, rounds: int) -> str | None:
        deadline = time.monotonic() + case.seconds
        while evidence.rounds(self._console(case)) < rounds:
            if time.monotonic() > deadline:
                return _WAITED[5].format(seconds=case.seconds)
            if not self.host.alive():
                raise HostDead("the machine ended")
            time.sleep(0.5)
        return None

    def _wait_action(self, case: Case) -> str | None:
        if case.action == "reboot":
            return self._wait(case, 2)
        rc, _, _ = self.host.run(f"""
            for i in $(seq {case.seconds}); do
                xl list {case.name} | tail -n 1 | grep -q ' ...s.. ' && exit 0
                sleep 1
            done
            exit 1""", timeout=case.seconds * 2 + 30)
        return f"still running {case.seconds} s after xl {case.action}" if rc else None

    def _console(self, case: Case) -> str:
        if case.port_e9:
            domid = self.host.check(f"xl domid {case.name}").strip()
            return evidence.from_xen_log(self.host.log(), int(domid))
        rc, out, _ = self.host.run(f"cat /var/log/xen/console/guest-{case.name}.log")
        return out if rc == 0 else ""

    def _uptime(self) -> float:
        return float(self.host.check("cat /proc/uptime").split()[0])

    # --- before and after -----------------------------------------------------------------------------------------------

    def _skip(self, case: Case) -> str | None:
        if case.needs_pvboot and not push.built("pvboot-xl.so"):
            return f"{paths.build().name}/pvboot-xl.so is not built"
        return None

    def _ready(self) -> None:
        if not self.host.alive():
            self.host.boot(self.store)
            self._warm_up()
        push.push(self.host)

    def _warm_up(self) -> None:
        """The first guests of a boot leave the empty /libxl and /vm in xenstore, and a page in Xen's pools."""
        for path in ("xl-pvh", "xl-pv"):
            case = Case(f"warm-up/{path}", path, "6.1-cloud")
            cfg = self.out / f"{case.name}.cfg"
            cfg.write_text(self._config(case))
            self.host.put(cfg, f"/root/{cfg.name}")
            self.host.check(f"xl create -p /root/{cfg.name} && xl destroy {case.name}")

    def _snapshot(self) -> leaks.Snapshot:
        return leaks.parse(self.host.check(leaks.SNAPSHOT))

    def _left_behind(self, before: leaks.Snapshot) -> list[str]:
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            found = leaks.compare(before, self._snapshot())
            if not found or time.monotonic() > deadline:
                return found

    def _keep_log(self, case: Case, name: str) -> None:
        (paths.made(self.out / case.name) / name).write_text(self.host.log())


_WAITED = {0: "", 3: "the domain is gone", 4: "the domain has shut down or crashed", 5: "no userland after {seconds} s"}


def _complaint(said: str) -> str:
    """The line of xl's output that tells why: ours, else its first error."""
    for pattern in (r"^.*pvboot: .*$", r"^.*(?:xc: error|libxl: error|xl: ).*$", r"^.*(?:rror|nvalid).*$"):
        match = re.search(pattern, said, re.M)
        if match:
            return match.group(0).strip()
    lines = said.strip().splitlines()
    return lines[-1] if lines else "without a word"


def save(found: Evidence, directory: Path) -> None:
    for name, data in found.sections.items():
        if name.startswith("setup_data."):
            _, number, part = name.split(".")
            (paths.made(directory / "setup_data") / f"{number}.{part}").write_bytes(data)
        else:
            (directory / (f"{name}.bin" if name == "boot_params" else f"{name}.txt")).write_bytes(data)


def expectations(case: Case, found: Evidence) -> list[str]:
    """What the guest says of itself that is not what the case asked for."""
    wrong = []
    hypervisor = found.tree("hypervisor")
    kind = "PV" if case.path == "xl-pv" else "PVH"
    if case.guest_kernel.xen and hypervisor.get("guest_type") != kind:
        wrong.append(f"guest_type is {hypervisor.get('guest_type')!r}, expected {kind!r}")
    if found.text("nproc").strip() != str(case.vcpus):
        wrong.append(f"{found.text('nproc').strip()} vCPUs are up, expected {case.vcpus}")
    if case.cmdline not in found.text("cmdline"):
        wrong.append(f"/proc/cmdline is {found.text('cmdline').strip()[:200]!r}")
    return wrong


def flight(wanted: list[Case], out: Path, memory_mib: int, keep_going: bool, progress) -> list[Result]:
    """All wanted cases on one machine."""
    packages.ensure_installed()
    runner = Runner(Host(paths.made(out) / "host", memory_mib=memory_mib), packages.Store(), out)
    results: list[Result] = []
    try:
        for number, case in enumerate(wanted, 1):
            progress.begin(number, len(wanted), case)
            results.append(runner.run(case))
            progress.end(results[-1])
            if results[-1].status in ("fail", "broken", "error") and not keep_going:
                break
    finally:
        runner.host.stop()
    return results
