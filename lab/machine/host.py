# SPDX-License-Identifier: LGPL-2.1-only
"""One emulated machine running Xen: boot it, run scripts in its dom0, exchange files with it.

The command channel is a directory shared over 9p: a script appears in `in/`, a line on the second serial port wakes
dom0, the script's output and at last its exit status appear in `out/`.  So a machine started by one process can be
used by another, and by several at once.
"""

import contextlib
import gzip
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ..base import kernels, packages, paths
from ..base.errors import HostDead, LabError, Timeout
from . import clock, dom0

# A CPU with SVM, less what the emulator gets wrong: ring-3 iret reads its stack as supervisor (smap, smep kill dom0),
# Xen's mwait idle takes #GP, rdtscp leaves the guest with a wrong exit code.
CPU = "EPYC,+svm,+npt,-smap,-smep,-monitor,-rdtscp,-xsavec,-rdpid"
# Eager FPU: with Xen's lazy switching (its default for AMD) the emulation loses vector registers, and programs in dom0
# and in guests crash now and then, more often on a busy machine.
XEN_CMDLINE = ("console=com1 com1=115200,8n1 dom0_mem={0}M,max:{0}M loglvl=info guest_loglvl=all"
               " spec-ctrl=eager-fpu")
DOM0_CMDLINE = "console=hvc0 rdinit=/init panic=1 quiet"
# One translation loop that may use the second processor too; or one whose clock is the number of instructions executed,
# 4 ns each, asleep at no cost: then times are the same however busy this machine is.
BY_THE_CLOCK = ("-accel", "tcg,thread=multi,tb-size=1024")
BY_INSTRUCTIONS = ("-accel", "tcg,thread=single,tb-size=1024", "-icount", "shift=2,sleep=off")
BOOT_SECONDS = 300
PROBE_SECONDS = 60  # for a machine that is asked whether it is still there


class Host:
    def __init__(self, directory: Path, memory_mib: int = 3072, cpus: int = 2,
                 accelerator: tuple[str, ...] = BY_THE_CLOCK, dom0_mib: int = 1536, words: str = "",
                 more: Callable[[packages.Store], bytes] = lambda store: b"") -> None:
        self.dir = directory
        self.share = directory / "share"
        self._state = directory / "host.json"
        self._bell = directory / "bell"
        self.memory_mib = memory_mib
        self._dom0_mib = dom0_mib
        self._cpus = cpus
        self._accelerator = accelerator
        self._words = words  # more of dom0's command line, for its init
        self._more = more    # further archives of files in dom0
        self._serial = itertools.count()
        self._placed: set[str] = set()
        self.clock = clock.Clock(self._threads)  # by which everybody waits

    # --- life -------------------------------------------------------------------------------------------------------

    def boot(self, store: packages.Store) -> float:
        """Start the machine and wait for its dom0; seconds it took."""
        self.stop()
        shutil.rmtree(self.share, ignore_errors=True)
        for name in ("in", "out", "files"):
            paths.made(self.share / name)
        self._placed.clear()
        self.log_file.unlink(missing_ok=True)
        xen, kernel, initrd = self._images(store)
        started, begun = time.monotonic(), self.clock()
        self._start(xen, kernel, initrd)
        ready = self.share / "out" / "ready"
        while not ready.exists():
            if not self.alive():
                raise HostDead(f"the machine ended while booting: {self._last_words()}")
            if self.clock() - begun > BOOT_SECONDS:
                self.stop()
                raise HostDead(f"no dom0 after {BOOT_SECONDS} s, see {self.log_file}")
            time.sleep(0.1)
        return time.monotonic() - started

    def xen(self) -> str:
        """The version of the Xen that runs, in its own words."""
        return re.search(r"^xen_version\s*: (\S+)", (self.share / "out" / "ready").read_text(), re.M).group(1)

    def alive(self) -> bool:
        try:
            state = json.loads(self._state.read_text())
            return _birth(state["pid"]) == state["birth"]
        except (OSError, ValueError, KeyError):
            return False

    def _threads(self) -> clock.Threads:
        try:
            return clock.threads(json.loads(self._state.read_text())["pid"])
        except (OSError, ValueError, KeyError):
            return {}

    def stop(self) -> None:
        if self.alive():  # it holds no state worth an orderly end
            os.kill(json.loads(self._state.read_text())["pid"], signal.SIGKILL)
            while self.alive():
                time.sleep(0.02)
        self._state.unlink(missing_ok=True)

    @property
    def log_file(self) -> Path:
        """What Xen, dom0 and guests' debug ports wrote on the serial line."""
        return self.dir / "xen.log"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # --- commands ---------------------------------------------------------------------------------------------------

    def run(self, script: str, timeout: float = 180) -> tuple[int, str, str]:
        """Run a shell script in dom0: exit status, standard output, standard error."""
        job = self.start(script)
        deadline = self.clock() + timeout
        try:
            while not self.finished(job):
                if self.clock() > deadline:
                    self._give_up(job)
                    raise Timeout(f"no end after {timeout:.0f} s: {script.strip().splitlines()[0][:100]}")
                time.sleep(0.02)
        except KeyboardInterrupt:
            self.kill(job)
            raise
        return self.result(job)

    def check(self, script: str, timeout: float = 180) -> str:
        """As run(), for a script that must succeed: its standard output."""
        rc, out, err = self.run(script, timeout)
        if rc:
            raise LabError(f"dom0: exit {rc}: {script.strip().splitlines()[0][:100]}: {err.strip()[-300:]}")
        return out

    def start(self, script: str) -> str:
        job = f"{os.getpid()}-{time.time_ns()}-{next(self._serial)}"
        scratch = self.share / "in" / f"{job}.new"
        scratch.write_text(script + "\n")
        scratch.rename(scratch.with_suffix(".sh"))
        self._ring()
        return job

    def finished(self, job: str) -> bool:
        if (self.share / "out" / f"{job}.rc").exists():
            return True
        if not self.alive():
            raise HostDead(f"the machine ended: {self._last_words()}")
        return False

    def result(self, job: str) -> tuple[int, str, str]:
        out = self.share / "out"
        parts = [(out / f"{job}.{end}").read_text(errors="replace") for end in ("rc", "out", "err")]
        for end in ("rc", "out", "err"):
            (out / f"{job}.{end}").unlink()
        return int(parts[0]), parts[1], parts[2]

    def stream(self, job: str) -> tuple[Path, Path]:
        """The growing output and error files of a started job."""
        return self.share / "out" / f"{job}.out", self.share / "out" / f"{job}.err"

    def kill(self, job: str) -> None:
        (self.share / "in" / f"{job}.kill").touch()
        self._ring()

    # --- files ------------------------------------------------------------------------------------------------------

    def put(self, source: Path, destination: str) -> None:
        """Copy a file of this machine into dom0."""
        scratch = self.share / "files" / f"{os.getpid()}-{next(self._serial)}"
        shutil.copyfile(source, scratch)
        scratch.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        try:
            self.check(f"mkdir -p $(dirname {destination}) && cp -p {_in_dom0(scratch)} {destination}.new"
                       f" && mv {destination}.new {destination}")
        finally:
            scratch.unlink()

    def put_once(self, source: Path, destination: str) -> str:
        """As put(), skipped if it is there already; for names that tell their contents."""
        if destination not in self._placed:
            if self.run(f"test -e {destination}")[0]:
                self.put(source, destination)
            self._placed.add(destination)
        return destination

    def get(self, path: str) -> bytes:
        """The bytes of a file in dom0."""
        scratch = self.share / "files" / f"{os.getpid()}-{next(self._serial)}"
        self.check(f"cat {path} > {_in_dom0(scratch)}")
        data = scratch.read_bytes()
        scratch.unlink()
        return data

    # --- inside -----------------------------------------------------------------------------------------------------

    def _images(self, store: packages.Store) -> tuple[Path, Path, Path]:
        packed = store.unpacked(f"xen-hypervisor-{packages.xen_version()}-amd64".replace(".", r"\."))
        source = next((packed / "boot").glob("xen-*.gz"))
        xen = paths.made(self.dir) / "xen"
        xen.write_bytes(gzip.decompress(source.read_bytes()))  # QEMU's multiboot loader wants the plain ELF
        initrd = self.dir / "dom0.cpio"
        initrd.write_bytes(dom0.build(store) + self._more(store))
        return xen, kernels.image(store, kernels.dom0()), initrd

    def _start(self, xen: Path, kernel: Path, initrd: Path) -> None:
        command = [
            "qemu-system-x86_64", *self._accelerator, "-cpu", CPU,
            "-smp", str(self._cpus), "-m", str(self.memory_mib),
            "-kernel", str(xen), "-append", XEN_CMDLINE.format(self._dom0_mib),
            "-initrd", f"{_module(kernel)} {DOM0_CMDLINE} {self._words},{_module(initrd)}",
            "-nodefaults", "-no-reboot", "-display", "none", "-monitor", "none",
            "-serial", f"file:{self.log_file}", "-serial", f"pipe:{self._bell}",
            "-fsdev", f"local,id=lab,path={self.share},security_model=none",
            "-device", "virtio-9p-pci,fsdev=lab,mount_tag=lab",
        ]
        for end in ("in", "out"):
            pipe = self._bell.with_suffix(f".{end}")
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe)
        with (self.dir / "qemu.log").open("wb") as out:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self._state.write_text(json.dumps({"pid": child.pid, "birth": _birth(child.pid), "command": command}, indent=1))

    def _ring(self) -> None:
        """Wake dom0's loop."""
        with contextlib.suppress(OSError):  # nobody listens: who waits for an answer will notice
            bell = os.open(self._bell.with_suffix(".in"), os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(bell, b"\n")
            finally:
                os.close(bell)

    def _give_up(self, job: str) -> None:
        """A job is late: end it, and find out whether only the job hangs or the whole machine."""
        self.kill(job)
        probe = self.start(":")
        deadline = self.clock() + PROBE_SECONDS
        while not self.finished(probe):
            if self.clock() > deadline:
                self.stop()
                raise HostDead(f"dom0 no longer answers, see {self.log_file}")
            time.sleep(0.1)

    def _last_words(self) -> str:
        text = (self.dir / "qemu.log").read_text(errors="replace") + "\n" + self.log()
        lines = [line for line in text.splitlines() if line.strip()]
        return lines[-1].strip() if lines else "without a word"


def _birth(pid: int) -> str | None:
    """When the process began, which tells it from a later one with the same number; None if it is gone or a zombie.

    Not its command line: that reads as empty for a moment during exec.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _in_dom0(scratch: Path) -> str:
    return f"/share/files/{scratch.name}"


def _module(path: Path) -> str:
    """A file name in QEMU's -initrd list, where a comma ends it."""
    return str(path).replace(",", ",,")
