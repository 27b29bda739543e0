# SPDX-License-Identifier: LGPL-2.1-only
"""A flight: many jobs on one machine, which is booted again if one of them takes it down."""

import hashlib
import os
import time
from pathlib import Path

from ..base import kernels, packages, paths, ready, release
from ..base.errors import HostDead, LabError, NoPackage
from ..base.progress import Steps
from ..machine import dom0, install
from ..guests import capabilities
from ..judges import leaks
from ..cases import runner
from . import cells, job, model, native_in_pv, pvboot_tool, recipes
from .host import Host
from .model import Cell, Job
from .record import Record, Writer

SPARE_MIB = 1024  # of this machine's memory, left to others


class Flight:
    def __init__(self, wanted: list[Cell], out: Path, experiments: bool = False, replace: bool = False) -> None:
        ready.ensure()
        self.wanted = wanted
        self.out = paths.made(out)
        self._progress = Steps()
        self._experiments = experiments and native_in_pv.KERNEL in {cell.kernel for cell in wanted}
        self._store = packages.Store()
        self._absent: dict[str, str] = {}  # kernels that the archive has not, and what it says
        self._inspected = self._inspect(sorted({cell.kernel for cell in wanted}))
        self.writer = Writer(self.out, self._header(), replace)
        self._host: Host | None = None
        self._room_mib = _available_mib() - SPARE_MIB
        self._pae: bool | None = None
        self._khz: int | None = None
        self._sums: dict[Path, str] = {}

    def _inspect(self, names: list[str]) -> dict[str, dict]:
        found = {}
        for name in names:
            try:
                found[name] = pvboot_tool.inspect(self._image(name))
            except NoPackage as missing:
                self._absent[name] = str(missing)
        return found

    def fly(self, minutes: float = 0) -> Record:
        """All wanted cells that the record does not have yet; none is begun after so many minutes."""
        deadline = time.monotonic() + minutes * 60 if minutes else float("inf")
        todo = [cell for cell in self.wanted if cell.id not in self.writer.record.finished()]
        todo.sort(key=lambda cell: runner.machine_mib([cell]))  # one machine of each size, the common one first
        if len(todo) < len(self.wanted):
            self._progress.say(f"{len(self.wanted) - len(todo)} of {len(self.wanted)} cells are in the record already")
        try:
            for number, cell in enumerate(todo, 1):
                if time.monotonic() > deadline:
                    self._progress.say(f"{len(todo) - number + 1} cells are left for another time")
                    return self.writer.record
                self._progress.begin(number, len(todo), cell.id)
                self._one(cell, f"[{number}/{len(todo)}]")
            if self._experiments and "C6" not in self.writer.record.experiments:
                self._native_in_pv()
        finally:
            if self._host:
                self._host.stop()
        return self.writer.record

    # --- one cell -----------------------------------------------------------------------------------------------------------

    def _one(self, cell: Cell, position: str) -> None:
        started = time.monotonic()
        once_only: list[str] = []
        for left in reversed(range(runner.TRIES)):
            done = self._try(cell)
            if not may_not_repeat(done) or not left:
                break
            once_only += [f"once only: {reason}" for reason in done.reasons]
            self._progress.say(f"{position} {cell.id}: {'; '.join(done.reasons[:1])}: once more")
        done.reasons = done.reasons or once_only
        self.writer.add(done)
        self._progress.say(f"{position} {done.status:7} {cell.id} ({time.monotonic() - started:.0f} s)"
                  + "".join(f"\n        {reason[:300]}" for reason in done.reasons[:6]))

    def _try(self, cell: Cell) -> Job:
        if why := self._absent.get(cell.kernel):
            return model.job_without_run(cell, model.SKIP, why)
        if why := cells.blocked(cell, self._inspected[cell.kernel]):
            return model.job_without_run(cell, model.BLOCKED, why)
        done = Job(cell)
        try:
            if why := self._skipped(cell):
                return model.job_without_run(cell, model.SKIP, why)
            given = self._given(cell)
            done.runvars = self._runvars(cell, given)
            job.Runner(self._host, done, given, self.out / cell.name, self._progress.step).run()
        except HostDead as dead:
            if self._host:
                (self.out / f"{cell.name}-xen-died.log").write_text(self._host.stamped_log())
                self._host.stop()
            done.status, done.reasons = model.BROKEN, [str(dead)]
        except (LabError, OSError) as error:
            done.status, done.reasons = model.ERROR, [str(error)]
        return done

    def _skipped(self, cell: Cell) -> str | None:
        missing = [name for name in ("pvboot-xl.so", "pvboot-stub.elf", "pvboot-capture") if not install.built(name)]
        if missing:
            return f"{paths.build().name}/{missing[0]} is not built"
        if runner.machine_mib([cell]) > self._room_mib:
            return f"{self._room_mib} MiB are free here; a machine of {runner.machine_mib([cell])} MiB is needed"
        self._ready(runner.machine_mib([cell]))
        if kernels.KERNELS[cell.kernel].pae:
            if self._pae is None:
                self._pae = capabilities.pae(self._host)
            if not self._pae:
                return capabilities.PAE_MISSING
        return None

    def _ready(self, memory_mib: int) -> None:
        """A machine of at least this size is up."""
        if self._host is None or self._host.memory_mib < memory_mib:
            if self._host:
                self._host.stop()
            self._host = Host(paths.made(self.out / "host"), memory_mib=memory_mib)
        if not self._host.alive():
            seconds = self._host.boot(self._store)
            self._progress.say(f"a machine of {memory_mib} MiB with Xen {self._host.xen()} is up after {seconds:.0f} s")
            self._same_xen(self._host.xen())
            install.push(self._host)
            self._warm_up()

    def _same_xen(self, running: str) -> None:
        """What the record says was read off a package's name."""
        if not f"{running}.".startswith(f"{self.writer.record.flight['xen']}."):
            raise LabError(f"Xen says that it is {running}; the record is of {self.writer.record.flight['xen']}")

    def _warm_up(self) -> None:
        """The first guests of a boot leave the empty /libxl and /vm in xenstore, and pages in Xen's pools."""
        for path in ("xl-pvh", "xl-pv"):
            cell = Cell(cells.SHAPED, path, vcpus=4, initrd="warm-up")  # Xen keeps some for the first of a size
            kernel = self._put(self._image(cell.kernel))
            self.out.joinpath("warm-up.cfg").write_text(recipes.config(cell, kernel, kernel, "warm-up"))
            self._host.put(self.out / "warm-up.cfg", "/root/warm-up.cfg")
            self._host.check(f"{install.STOCK_XL} create -p /root/warm-up.cfg && {install.STOCK_XL} destroy {cell.name}")

    def _native_in_pv(self) -> None:
        self._ready(runner.machine_mib([]))
        kernel = self._image(native_in_pv.KERNEL)
        images = native_in_pv.image(kernel, self._inspected[native_in_pv.KERNEL], self.out)
        ramdisk = self._put(recipes.initrd(self._store, "amd64", "small"))
        found = native_in_pv.run(self._host, images, ramdisk, self.out)
        self.writer.add_experiment("C6", found)
        self._progress.say(f"experiment C6: {found['outcome']}")

    # --- what it is run with --------------------------------------------------------------------------------------------------

    def _given(self, cell: Cell) -> job.Given:
        kernel = kernels.KERNELS[cell.kernel]
        if not kernel.xen and self._khz is None:
            self._khz = capabilities.tsc_khz(self._host)
        words = recipes.command_line(cell, kernel, self._khz)
        image = self._image(cell.kernel)
        ramdisk = recipes.initrd(self._store, kernel.arch, cell.initrd)
        if ramdisk not in self._sums:
            self._sums[ramdisk] = hashlib.sha256(ramdisk.read_bytes()).hexdigest()
        boots = recipes.grub_image(image, ramdisk, words, cell.how == "node") if cell.path == "grub" else image
        text = recipes.config(cell, self._put(boots), "" if cell.path == "grub" else self._put(ramdisk), words)
        return job.Given(text, words, image, boots, ramdisk, self._sums[ramdisk],
                         self.writer.record.kernel(cell.kernel), kernel.xen)

    def _runvars(self, cell: Cell, given: job.Given) -> dict:
        loaded = {"stub": paths.build() / "pvboot-stub.elf", "grub": given.boots}.get(cell.path)
        return {"create": recipes.create(cell, "xl.cfg"), "cmdline": given.words, "kernel": given.kernel.name,
                "ramdisk_sha256": given.ramdisk_sha256, "config": given.config,
                "loaded": pvboot_tool.inspect(loaded)["elf_window"] if loaded else None}

    def _put(self, path: Path) -> str:
        return self._host.put_once(path, f"{dom0.DIRECTORY}/{path.name}")

    def _image(self, name: str) -> Path:
        return kernels.image(self._store, kernels.KERNELS[name])

    def _header(self) -> dict:
        return {"record": "flight", "id": self.out.name, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "built": _digest(), "xen": packages.xen_version(), "release": release.name(), "cpus": os.cpu_count(),
                "kernels": {name: {**inspected, "file": self._image(name).name,
                                   "header": _setup_header(self._image(name), self.out)}
                            for name, inspected in self._inspected.items()}}


def may_not_repeat(done: Job) -> bool:
    """The machine ended; the emulation made up a triple fault, as it does on all paths; a pool of Xen's grew by a few
    pages.  What pvboot does wrong comes again."""
    if done.status in (model.BROKEN, model.CRASH):
        return done.status == model.BROKEN or done.step("shutdown").status == model.CRASH
    wrong = [step for step in done.steps if step.status not in (model.PASS, model.SKIP, model.BLOCKED)]
    return [step.name for step in wrong] == ["leak-check"] and leaks.may_be_growth(wrong[0].detail.splitlines())


def _setup_header(image: Path, scratch: Path) -> dict:
    """What a loader copies, and nothing else: boot.rst, "64-bit boot protocol": 0x1f1 to 0x202 + byte at 0x201."""
    page = bytearray(4096)
    with image.open("rb") as file:
        start = file.read(0x300)
    end = 0x202 + start[0x201]
    page[0x1f1:end] = start[0x1f1:end]
    return pvboot_tool.decode("zero-page", bytes(page), scratch / f"header-{image.name}.bin")["fields"]


def _digest() -> str:
    """Of everything that was built and is pushed."""
    whole = hashlib.sha256()
    for name in sorted(install.FILES):
        path = paths.build() / name
        whole.update(name.encode() + (path.read_bytes() if path.exists() else b""))
    return whole.hexdigest()[:16]


def _available_mib() -> int:
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) // 1024
