# SPDX-License-Identifier: LGPL-2.1-only
"""Runs cases one after another on one machine, which is booted again if one of them takes it down."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from ..base import kernels, packages, paths, ready, release
from ..base.errors import HostDead, LabError, NoPackage
from ..machine import dom0, install
from ..machine.host import Host
from ..guests import capabilities, images
from ..guests.evidence import Evidence
from ..judges import leaks, messages
from . import boot, kexec, variants, xlcfg
from .case import EXAMPLE_FILES, Case

DOM0_MIB = 1536
SETTLE_SECONDS = 15  # for xl's monitor to notice that its domain is gone
TRIES = 5  # of what may not be the guest's doing; Xen's pools have grown with three in a row, all with 4 vCPUs


@dataclasses.dataclass
class Result:
    case: Case
    status: str = "error"  # pass; fail: what is tested is at fault; error: the test is; broken: Xen died; skip
    reasons: list[str] = dataclasses.field(default_factory=list)
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    evidence: Evidence | None = None


class Runner:
    def __init__(self, host: Host, store: packages.Store, out: Path, step: Callable[[str], None] = lambda text: None) -> None:
        """`step` is told what is going on."""
        self.host = host
        self._step = step
        self.store = store
        self.out = out
        self._pae: bool | None = None

    def run(self, case: Case) -> Result:
        """One case, whatever becomes of it; a machine it takes down gets a second chance, for the fault may be elsewhere."""
        started = time.monotonic()
        result = Result(case)
        for try_number in (1, 2):
            try:
                reason = self._skip(case)
                if reason:
                    result.status, result.reasons = "skip", [reason]
                    break
                self._ready()
                self._judge(case, result)
                break
            except HostDead as dead:
                result.status, result.reasons = "broken", [str(dead)]
                (self._directory(case) / f"xen-died-{try_number}.log").write_text(self.host.log())
            except (LabError, ValueError, OSError) as error:
                result.status, result.reasons = "error", [str(error)]
                break
        result.seconds["case"] = time.monotonic() - started
        return result

    def _directory(self, case: Case) -> Path:
        return paths.made(self.out / case.name)

    def _skip(self, case: Case) -> str | None:
        try:
            kernels.image(self.store, case.guest_kernel)
        except NoPackage as missing:
            return str(missing)
        for name in case.needs_built:
            if not install.built(name):
                return f"{paths.build().name}/{name} is not built"
        if machine_mib([case]) > self.host.memory_mib:
            return f"this machine has too little free memory to emulate one of {machine_mib([case])} MiB"
        if case.guest_kernel.pae and not case.refused:
            self._ready()
            if self._pae is None:
                self._pae = capabilities.pae(self.host)
            if not self._pae:
                return capabilities.PAE_MISSING
        return None

    # --- one case -------------------------------------------------------------------------------------------------------

    def _judge(self, case: Case, result: Result) -> None:
        """A leak repeats itself, a pool of Xen's that grew does not; nor does an end that the emulation made up."""
        once_only: list[str] = []
        for number in range(TRIES):
            problems, left = self._once(case, result)
            grown = not problems and bool(left) and leaks.may_be_growth(left)
            if number == TRIES - 1 or not grown and not (problems and self._emulations_doing(case)):
                break
            once_only += left if grown else problems
        (self._directory(case) / "leaks.txt").write_text(
            "".join([f"once only: {x}\n" for x in once_only] + [f"{x}\n" for x in left]))
        problems += [f"left behind: {x}" for x in left]
        result.status = "fail" if problems else "pass"
        result.reasons = problems or [f"once only: {x}" for x in once_only]

    def _emulations_doing(self, case: Case) -> bool:
        console = self._directory(case) / "console.log"
        return self._triple_fault(case) or \
            console.exists() and messages.XSAVE_LOST.search(console.read_text(errors="replace")) is not None

    def _triple_fault(self, case: Case) -> bool:
        log = self._directory(case) / "xen.log"
        return log.exists() and messages.TRIPLE_FAULT in log.read_text()

    def _once(self, case: Case, result: Result) -> tuple[list[str], list[str]]:
        """Problems with the guest, and what it left behind."""
        before = self._snapshot()
        log_start = len(self.host.log())
        (self._directory(case) / "console.log").unlink(missing_ok=True)
        one = boot.Boot(self.host, case, self._directory(case), self._step)
        lost = None
        try:
            problems = one.go(*self._config(case))
        except LabError as error:
            lost = error
            problems = [str(error)]
        finally:
            result.seconds.update(one.seconds)
            result.evidence = one.evidence
            if self.host.alive():
                one.destroy()
                (self._directory(case) / "xen.log").write_text(self.host.log()[log_start:])
        if lost and not (self.host.alive() and self._triple_fault(case)):  # it has no name while xl builds it anew
            raise lost
        if not problems and self._triple_fault(case):
            problems = ["it ended in a triple fault, and xl built it anew"]
        return problems, self._left_behind(before)

    def _config(self, case: Case) -> tuple[str, dict[str, bytes]]:
        """The xl.cfg, and what its files hold."""
        usual = images.probe_kernel(case.filled_by) if case.probe else kernels.image(self.store, case.guest_kernel)
        kernel = variants.kernel(case, usual)
        image, more = variants.prepare(self.host, case, self._ramdisk(case))
        if case.path == "xl-packed":
            kernel = variants.packed(case, kernel, image)
        files = {"kernel": kernel.read_bytes(), "ramdisk": variants.joined(case, image.read_bytes())}
        there = {"kernel": self.host.put_once(kernel, f"{dom0.DIRECTORY}/{kernel.name}"),
                 "ramdisk": self.host.put_once(image, f"{dom0.DIRECTORY}/{image.name}")}
        if case.example or case.config.get("ramdisk") == EXAMPLE_FILES["kernel"]:
            for key, link in EXAMPLE_FILES.items():
                self.host.check(f"ln -sfn {there[key]} {link}")
        if case.example:
            return (paths.REPO / "xl-config-examples" / case.example).read_text(), files
        words = case.cmdline
        if "KHZ" in words:
            khz = capabilities.tsc_khz(self.host)
            words = words.replace("KHZ", str(khz)).replace("LPJ", str(khz * 4))  # at HZ=250
        case = dataclasses.replace(case, config={**case.config, **more})
        return xlcfg.config(case, there["kernel"], there["ramdisk"], words), files

    def _ramdisk(self, case: Case) -> Path:
        if case.mode == "kexec":
            return kexec.initramfs(self.store, case.guest_kernel)
        return images.initramfs(self.store, case.guest_kernel.arch)

    # --- before and after -----------------------------------------------------------------------------------------------

    def _ready(self) -> None:
        if not self.host.alive():
            seconds = self.host.boot(self.store)
            self._step(f"Xen {self.host.xen()} with {release.name()}'s dom0 is up after {seconds:.0f} s")
            self._warm_up()
        install.push(self.host)

    def _warm_up(self) -> None:
        """The first guests of a boot leave the empty /libxl and /vm in xenstore, and a page in Xen's pools."""
        for path in ("xl-pvh", "xl-pv"):
            case = Case(f"warm-up/{path}", path, "6.1-cloud", vcpus=4)  # Xen keeps some pages for a first guest of a size
            cfg = self.out / f"{case.name}.cfg"
            cfg.write_text(self._config(case)[0])
            self.host.put(cfg, f"/root/{cfg.name}")
            self.host.check(f"xl create -p /root/{cfg.name} && xl destroy {case.name}")

    def _snapshot(self) -> leaks.Snapshot:
        return leaks.parse(self.host.check(leaks.SNAPSHOT))

    def _left_behind(self, before: leaks.Snapshot) -> list[str]:
        deadline = self.host.clock() + SETTLE_SECONDS
        while True:
            found = leaks.compare(before, self._snapshot())
            if not found or self.host.clock() > deadline:
                return found


def machine_mib(wanted: list[Case]) -> int:
    """Memory of a machine that can hold dom0, Xen and the largest of the guests."""
    return max(3072, DOM0_MIB + 512 + max((case.memory for case in wanted), default=0))


def flight(wanted: list[Case], out: Path, keep_going: bool, progress) -> list[Result]:
    """All wanted cases on one machine."""
    ready.ensure()
    memory = machine_mib(wanted)
    if memory > _free_mib() - 512:
        memory = machine_mib([])
    store = packages.Store()
    for kernel in dict.fromkeys(case.guest_kernel for case in wanted if case.guest_kernel.follows):
        print(f"{kernel.id}: {kernels.described(store, kernel)}", flush=True)
    runner = Runner(Host(paths.made(out) / "host", memory_mib=memory), store, out, progress.step)
    results: list[Result] = []
    try:
        for number, case in enumerate(wanted, 1):
            progress.begin(number, len(wanted), case.id)
            results.append(runner.run(case))
            progress.end(results[-1])
            if results[-1].status in ("fail", "broken", "error") and not keep_going:
                break
    finally:
        runner.host.stop()
    return results


def _free_mib() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0
