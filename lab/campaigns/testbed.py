# SPDX-License-Identifier: LGPL-2.1-only
"""One machine, the files that guests are made of, and a record of what was done on it, with a census after each step."""

import contextlib
import dataclasses
import json
from pathlib import Path

from ..base import kernels, packages, paths, ready
from ..machine import dom0, install
from ..machine.host import Host
from ..guests import images
from ..cases import xlcfg
from ..cases.case import Case
from . import census

KERNEL = "6.1-cloud"
SETTLE_SECONDS = 15
NO_MONITORS = """
    for i in $(seq 100); do grep -qs 'bin/[x]l' /proc/[0-9]*/cmdline || break; sleep 0.05; done"""


@dataclasses.dataclass
class Step:
    phase: str
    number: int
    what: str
    seconds: float
    figures: dict[str, int]
    wrong: str = ""       # it did not go as it should
    counted: bool = True  # not part of the warm-up


class Testbed:
    def __init__(self, host: Host, store: packages.Store, record: Path) -> None:
        self.host = host
        self.steps: list[Step] = []
        self.store = store
        self._record = record.open("w")
        self._directory = record.parent
        self.script = census.place(host)
        self._rest: census.Census | None = None  # how things are when nothing is going on

    # --- files ------------------------------------------------------------------------------------------------------

    def files(self) -> dict[str, str]:
        """Kernels and a ramdisk in dom0, by short names; good ones and spoilt ones."""
        at = {name: self.host.put_once(kernels.image(self.store, kernels.KERNELS[name]), f"{dom0.DIRECTORY}/vmlinuz-{name}")
              for name in (KERNEL, "6.1", "686")}
        at["ramdisk"] = self.host.put_once(images.initramfs(self.store, "amd64"), f"{dom0.DIRECTORY}/initrd")
        at["reset-pvh"] = self.host.put_once(images.reset_at_entry(), f"{dom0.DIRECTORY}/reset-pvh")
        reset = self.host.share / "files" / "reset"
        reset.write_bytes(images.reset_at_startup_64(kernels.image(self.store, kernels.KERNELS[KERNEL]).read_bytes()))
        at["reset"] = self.host.put_once(reset, f"{dom0.DIRECTORY}/reset")
        at["directory"], at["short"], at["spoilt"] = dom0.DIRECTORY, f"{dom0.DIRECTORY}/short", f"{dom0.DIRECTORY}/spoilt"
        self.host.check(f"""
            head -c 3000000 {at[KERNEL]} > {at["short"]}
            cp {at[KERNEL]} {at["spoilt"]} && dd if=/dev/zero of={at["spoilt"]} bs=1 seek=4000000 count=64 conv=notrunc""")
        return at

    def config(self, case: Case, kernel: str, ramdisk: str) -> str:
        """Puts the xl.cfg there; where it is."""
        text = self.host.share / "files" / f"{case.name}.cfg"
        text.write_text(xlcfg.config(case, kernel, ramdisk))
        return self.host.put_once(text, f"{dom0.DIRECTORY}/{case.name}.cfg")

    def keep(self, name: str, text: str) -> None:
        (self._directory / name).write_text(text)

    # --- counting ---------------------------------------------------------------------------------------------------

    def now(self) -> census.Census:
        return census.parse(self.host.check(self.script))

    def after(self, script: str, timeout: float = 180) -> tuple[int, str, census.Census]:
        """Exit status of the script, what it said, and how things are when all has come to rest."""
        rc, out, err = self.host.run(f"""
            ({script}
            ) >&2
            rc=$?{NO_MONITORS}{self.script}
            exit $rc""", timeout)
        found = census.parse(out)
        return rc, err, found if self._rest and not census.compare(self._rest, found) else self.settled()

    def settled(self) -> census.Census:
        """When daemons have closed what they had open; at the latest after a while."""
        deadline = self.host.clock() + SETTLE_SECONDS
        while True:
            found = self.now()
            late = self.host.clock() > deadline
            if late or not self._rest:
                self._rest = found
            if not census.compare(self._rest, found):
                return found

    def note(self, what: str, seconds: float, wrong: str = "") -> None:
        """A step without a census, where there is no xenstore to count in."""
        self.steps.append(Step("step", len(self.steps) + 1, what, round(seconds, 2), {}, wrong))

    def add(self, phase: str, what: str, seconds: float, found: census.Census, wrong: str = "",
            counted: bool = True) -> None:
        number = sum(step.phase == phase for step in self.steps) + 1
        step = Step(phase, number, what, round(seconds, 2), found.figures(), wrong, counted)
        self.steps.append(step)
        self._record.write(json.dumps(dataclasses.asdict(step)) + "\n")
        self._record.flush()
        if wrong or number % 10 == 0:
            print(f"{phase} {number}: {what}, {seconds:.1f} s{': ' if wrong else ''}{wrong}", flush=True)


@contextlib.contextmanager
def prepared(name: str, **machine):
    """A machine of its own for `name`, up and with what `make` built; its record is kept in that directory.

    `machine`: what is not as usual about it, for Host."""
    ready.ensure()
    store = packages.Store()
    out = paths.made(paths.lab() / name)
    host = Host(out / "host", cpus=1, **machine)  # nothing runs side by side
    try:
        print(f"booting Xen: {host.boot(store):.0f} s", flush=True)
        install.push(host)
        yield Testbed(host, store, out / "record.jsonl")
    finally:
        host.stop()
