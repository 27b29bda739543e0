# SPDX-License-Identifier: LGPL-2.1-only
"""The nouns, as osstest has them: a flight is many jobs; a job boots one cell in steps; runvars say with what."""

import dataclasses
import re

PATHS = ("xl-pvh", "xl-pv", "pvh", "linux32", "linux64", "vmlinux64", "stub", "pv", "grub")
STOCK = ("xl-pvh", "xl-pv", "grub")   # none of pvboot's code starts these
PV = ("xl-pv", "pv")                  # of libxl, and of pvboot launch; all others are HVM containers
TWINS = "pv beside xl-pv"             # for rules: of the same kind, so that hardly anything may differ
ZERO_PAGE = ("linux32", "linux64", "vmlinux64")  # the toolstack hands over a zero page; to all others a start info
STEPS = ("plan", "create-paused", "capture-handover", "unpause", "first-mark", "userland", "collect", "shutdown",
         "leak-check")

PASS, FAIL, CRASH, ERROR, BROKEN, BLOCKED, SKIP = "pass", "fail", "crash", "error", "broken", "blocked", "skip"
# worst last; fail: what is tested is at fault; crash: the guest died; error: the harness is; broken: the machine ended
STATUSES = (PASS, SKIP, BLOCKED, FAIL, CRASH, ERROR, BROKEN)
FINISHED = (PASS, SKIP, BLOCKED, FAIL, CRASH)  # resuming a flight does not run these again
EXECUTED = (PASS, FAIL, CRASH)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One point of kernel x path x vCPUs x memory x initrd; `round` numbers the repeats that only take the time."""

    kernel: str
    path: str
    vcpus: int = 1
    memory: int = 256        # MiB
    initrd: str = "small"
    round: int = 0
    how: str = ""            # "" as the path's own xl asks for it; "stock-xl": without pvboot's plugin; "node": GRUB adds one

    @property
    def id(self) -> str:
        tail = f"/time{self.round}" if self.round else ""
        return f"{self.group}/{self.column}{tail}"

    @property
    def column(self) -> str:
        """Its place in a grid."""
        return self.path + (f":{self.how}" if self.how else "")

    @property
    def group(self) -> str:
        """What all paths of one comparison have in common."""
        return f"{self.kernel}/{self.vcpus}cpu/{self.memory}M/{self.initrd}"

    @property
    def name(self) -> str:
        """As a domain's name and a directory's."""
        return re.sub(r"[^A-Za-z0-9.-]", "_", self.id)

    @property
    def needs_pvboot(self) -> bool:
        return self.path not in STOCK and not self.how


def worst(statuses: list[str]) -> str:
    return max(statuses, key=STATUSES.index, default=BLOCKED)


def in_order(columns) -> list[str]:
    """As PATHS has them."""
    return sorted(columns, key=lambda column: (PATHS.index(column.split(":")[0]), column))


@dataclasses.dataclass
class Step:
    name: str
    status: str = BLOCKED     # until it is run
    seconds: float = 0.0
    detail: str = ""


@dataclasses.dataclass
class Job:
    cell: Cell
    status: str = ERROR
    reasons: list[str] = dataclasses.field(default_factory=list)
    steps: list[Step] = dataclasses.field(default_factory=lambda: [Step(name) for name in STEPS])
    runvars: dict = dataclasses.field(default_factory=dict)   # what it was run with
    handover: dict = dataclasses.field(default_factory=dict)  # decoded capture of the paused domain
    guest: dict = dataclasses.field(default_factory=dict)     # decoded evidence of the guest
    times: dict = dataclasses.field(default_factory=dict)     # phase: seconds

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    def conclude(self) -> None:
        """The job's status from its steps: the worst of them, less those that could not be run after it."""
        run = [step for step in self.steps if step.status != BLOCKED]
        self.status = worst([step.status for step in run])
        if self.status == SKIP and any(step.status == PASS for step in run):
            self.status = PASS
        good = (PASS,) if self.status == SKIP else (PASS, SKIP)
        self.reasons = [f"{step.name}: {line}" for step in run if step.status not in good
                        for line in step.detail.splitlines()]


def job_without_run(cell: Cell, status: str, reason: str) -> Job:
    """A cell that is blocked or skipped before anything is started."""
    return Job(cell, status, [reason])


def to_json(job: Job) -> dict:
    return {"record": "job", "id": job.cell.id, **dataclasses.asdict(job)}


def from_json(row: dict) -> Job:
    fields = {field.name: row[field.name] for field in dataclasses.fields(Job)}
    fields["cell"] = Cell(**row["cell"])
    fields["steps"] = [Step(**step) for step in row["steps"]]
    return Job(**fields)
