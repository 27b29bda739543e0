# SPDX-License-Identifier: LGPL-2.1-only
"""One job, step by step, on a machine that is up."""

import dataclasses
import re
import time
from collections.abc import Callable
from pathlib import Path

from ..base import paths
from ..base.errors import HostDead, LabError
from ..machine import install
from ..guests import evidence
from ..judges import leaks, messages
from . import abi, guest_fields, model, pvboot_tool, recipes, timing
from .capture import Capture
from .host import Host, marks
from .model import Job

SECONDS = 240            # for a guest to reach userland; many times what it takes in an idle emulation
SETTLE_SECONDS = 15      # for xl's monitor to notice that its domain is gone
CONSOLE_SECONDS = 20     # for what init wrote to come through dom0, once it says on the debug port that it is done
STAMPS = "busybox ts -s '%.s'"


@dataclasses.dataclass
class Given:
    """What a job is run with."""

    config: str
    words: str             # the guest's command line
    kernel: Path           # files of this machine
    boots: Path            # what the toolstack loads: the kernel, or GRUB with the kernel in it
    ramdisk: Path
    ramdisk_sha256: str
    inspected: dict        # the kernel, as `pvboot inspect` sees it, and its setup header
    xen_console: bool      # the kernel can print through Xen's console; otherwise all comes by the debug port


class Stop(Exception):
    """The step failed and what follows makes no sense."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


class Runner:
    def __init__(self, host: Host, job: Job, given: Given, directory: Path, told: Callable[[str], None] = lambda text: None) -> None:
        """`told` hears of each step as it ends."""
        self._told = told
        self.host = host
        self.job = job
        self.cell = job.cell
        self.given = given
        self.dir = paths.made(directory)
        self.domid: int | None = None
        self._log_start = 0
        self._unpaused = 0.0
        self._before: leaks.Snapshot | None = None

    def run(self) -> None:
        if self._step("plan"):
            for name in ("create-paused", "capture-handover", "unpause", "first-mark", "userland", "collect"):
                if not self._step(name):
                    break
            self._step("shutdown")
            self._step("leak-check")
        self.job.conclude()

    def _step(self, name: str) -> bool:
        step = self.job.step(name)
        started = time.monotonic()
        try:
            step.status, step.detail = getattr(self, "_" + name.replace("-", "_"))()
            return True
        except Stop as stop:
            step.status, step.detail = stop.status, str(stop)
        except HostDead as dead:
            step.status, step.detail = model.BROKEN, str(dead)
            raise
        except (LabError, ValueError, KeyError, OSError) as error:
            step.status, step.detail = model.ERROR, f"{type(error).__name__}: {error}"
        finally:
            step.seconds = round(time.monotonic() - started, 3)
            self._told(f"{name}: {step.status} ({step.seconds:.1f} s)")
        return False

    # --- the steps: status and detail, or Stop ----------------------------------------------------------------------------

    def _plan(self) -> tuple[str, str]:
        """What the builder would do, by the same planner offline."""
        if self.cell.path not in (*model.ZERO_PAGE, "pvh", "pv"):
            return model.SKIP, "stock Xen builds this domain" if self.cell.path != "stub" else \
                "stock libxenguest loads the stub, which plans inside the guest"
        try:
            plan = pvboot_tool.run("plan", "--entry", self.cell.path, "--memory", self.cell.memory, "--vcpus", self.cell.vcpus,
                            "--ramdisk", self.given.ramdisk, "--cmdline", self.given.words, self.given.kernel)
        except pvboot_tool.Refused as refused:
            raise Stop(model.FAIL, str(refused)) from None  # what the kernel cannot do is blocked already
        self.job.runvars["plan"] = {"segments": plan["segments"], "vcpu": plan["vcpu"]}
        return model.PASS, plan["entry_why"]

    def _create_paused(self) -> tuple[str, str]:
        self._before = self._snapshot()
        self._log_start = len(self.host.stamped_log())
        (self.dir / "xl.cfg").write_text(self.given.config)
        config = f"/root/{self.cell.name}.cfg"
        self.host.put(self.dir / "xl.cfg", config)
        rc, out, _ = self.host.run(f"""
            rm -f {self._console_log}
            {{ {recipes.create(self.cell, config)} 2>&1; echo "@rc $?"; }} | {STAMPS}
            {install.STOCK_XL} domid {self.cell.name} 2>/dev/null || echo none""")
        (self.dir / "xl-create.txt").write_text(out)
        said, _, domid = out.rstrip("\n").rpartition("\n")
        if not re.search(r" @rc 0$", said, re.M) or domid == "none":
            raise Stop(model.FAIL, f"{recipes.create(self.cell, config).split()[0]}: {messages.complaint(said)}")
        self.domid = int(domid)
        self.job.times.update(timing.toolstack(said))
        return model.PASS, f"domain {self.domid}"

    def _capture_handover(self) -> tuple[str, str]:
        if self.cell.round:
            return model.SKIP, "a repeat for timing"
        handover = Capture(self.host, self.domid, self.dir / "handover").take(self.cell.path)
        self.job.handover = handover
        problems = abi.broken(abi.check(self.job, self.given.inspected))
        if self.cell.path != "grub":  # whose kernel and words are in its image
            size = self.given.ramdisk.stat().st_size
            size = size + 4095 & ~4095 if self.cell.path == "xl-pv" else size  # stock Xen gives whole pages
            problems += abi.given_problems(handover, self.given.words, self.given.ramdisk_sha256, size)
        problems += self._planned(handover)
        return (model.FAIL, "\n".join(problems)) if problems else (model.PASS, "")

    def _planned(self, handover: dict) -> list[str]:
        """The registers the planner promised against those Xen holds."""
        planned = self.job.runvars.get("plan", {}).get("vcpu", {})
        if self.cell.path == "pv":  # the rest of it is Xen's
            planned = {name: planned[name] for name in ("rip", "rsi")}
        planned = {name: pvboot_tool.number(planned[name]) for name in planned if name in handover["vcpu"]}
        return [f"cpu.{name} is {handover['vcpu'][name]:#x}, planned {planned[name]:#x}" for name in planned
                if handover["vcpu"][name] != planned[name]]

    def _unpause(self) -> tuple[str, str]:
        out = self.host.check(f"read a _ < /proc/uptime; {install.STOCK_XL} unpause {self.cell.name}; echo $a")
        self._unpaused = float(out) + self.host.clock_offset
        return model.PASS, ""

    def _first_mark(self) -> tuple[str, str]:
        if self.cell.path in model.PV:
            return model.SKIP, "a PV guest has no debug port, and a release build of Xen prints nothing for it"
        deadline = self.host.clock() + SECONDS
        while not self._marks():
            self._check_deadline(deadline, "first-mark")
            time.sleep(0.1)
        return model.PASS, self._marks()[0][1][:100]

    def _userland(self) -> tuple[str, str]:
        deadline = self.host.clock() + SECONDS
        done_at = None
        while not evidence.rounds(self._console() if self._talks() else ""):
            self._check_deadline(deadline, "userland")
            if any(timing.DONE_MARK in line for _, line in self._marks()):
                done_at = self.host.clock() if done_at is None else done_at
                if self.host.clock() - done_at > CONSOLE_SECONDS:
                    raise Stop(model.FAIL, "init came to its end, and its evidence did not come by the console")
        return model.PASS, ""

    def _talks(self) -> bool:
        """Wait some seconds for the end of the evidence, without asking dom0 all the time."""
        if not self.given.xen_console:
            time.sleep(1)
            return True
        return self.host.run(f"""
            for i in $(seq 25); do
                grep -q '^@@pvboot-done' {self._console_log} 2>/dev/null && exit 0
                sleep 0.2
            done
            exit 1""")[0] == 0

    def _collect(self) -> tuple[str, str]:
        found = evidence.parse(self._console())
        stamped = self._marks()
        self.job.times.update(timing.guest(stamped, self._unpaused))
        if self.cell.round:
            return model.PASS, "a repeat for timing"
        evidence.save(found, paths.made(self.dir / "guest"))
        self.job.guest = guest_fields.fields(found, self.dir / "guest")
        problems = self._expectations() + abi.broken(abi.check_read_back(self.job, self.given.inspected))
        return (model.FAIL, "\n".join(problems)) if problems else (model.PASS, "")

    def _shutdown(self) -> tuple[str, str]:
        if self.host.alive():
            self.host.run(f"{install.STOCK_XL} destroy {self.cell.name}")
            log = self.host.stamped_log()[self._log_start:]
            (self.dir / "xen.log").write_text(log)
            if messages.TRIPLE_FAULT in log:
                return model.CRASH, f"Xen: {messages.TRIPLE_FAULT}"
        return model.PASS, "destroyed from dom0"

    def _leak_check(self) -> tuple[str, str]:
        if self._before is None:
            return model.SKIP, "nothing was created"
        deadline = self.host.clock() + SETTLE_SECONDS
        while True:
            left = leaks.compare(self._before, self._snapshot())
            if not left:
                return model.PASS, ""
            if self.host.clock() > deadline:
                return model.FAIL, "\n".join(left)

    # --- helpers ----------------------------------------------------------------------------------------------------------

    @property
    def _console_log(self) -> str:
        return f"/var/log/xen/console/guest-{self.cell.name}.log"

    def _snapshot(self) -> leaks.Snapshot:
        return leaks.parse(self.host.check(leaks.SNAPSHOT))

    def _marks(self) -> list[tuple[float, str]]:
        return marks(self.host.stamped_log()[self._log_start:], self.domid)

    def _console(self) -> str:
        if not self.given.xen_console:
            text = "".join(f"{line}\n" for _, line in self._marks())
        else:
            rc, out, _ = self.host.run(f"cat {self._console_log}")
            text = out if rc == 0 else ""
        (self.dir / "console.log").write_text(text)
        return text

    def _check_deadline(self, deadline: float, step: str) -> None:
        if not self.host.alive():
            raise HostDead("the machine ended")
        late = self.host.clock() > deadline
        _, state, _ = self.host.run(f"{install.STOCK_XL} list {self.cell.name} | tail -n 1")
        dead = re.search(r" [r-][b-][p-](s|-c|--d)\S* ", state)
        if not state.strip() or dead or late:
            self._console()
            _, look, _ = self.host.run(f"xl list; /usr/lib/xen-*/bin/xenctx -a {self.domid}")
            (self.dir / "state.txt").write_text(look)
            words = (self._marks() or [(0, "nothing")])[-1][1][:100]
            status, what = (model.FAIL, f"no {step} after {SECONDS} s") if late and not dead else \
                (model.CRASH, "the guest shut down or crashed")
            raise Stop(status, f"{what}; its last words: {words}")

    def _expectations(self) -> list[str]:
        guest, wrong = self.job.guest, []
        kind = "PV" if self.cell.path in model.PV else "PVH"
        if self.given.xen_console and guest["guest_type"] != kind:
            wrong.append(f"guest_type is {guest['guest_type']!r}, expected {kind!r}")
        if guest["nproc"] != self.cell.vcpus:
            wrong.append(f"nproc is {guest['nproc']}, expected {self.cell.vcpus}")
        if self.given.words not in guest["cmdline"]:
            wrong.append(f"cmdline is {guest['cmdline'][:200]!r}")
        return wrong
