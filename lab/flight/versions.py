# SPDX-License-Identifier: LGPL-2.1-only
"""The same cells on two versions of Xen: the table in docs/platforms.md is made of two flights' records.

Inside one flight each difference between paths has a rule, or is a LOOK.  Between two versions there is no rule to hold
it to: all are listed, with the rule's reason where one speaks of what is random or free to choose.
"""

import dataclasses

from ..base.errors import LabError
from . import grid, model, rules
from .record import Record

BEGIN = "<!-- from two flights: make platforms -->\n"
WIDTH = 60  # characters of a value


@dataclasses.dataclass(frozen=True)
class Row:
    field: str
    one: str
    other: str
    why: str


def render(one: Record, other: Record) -> str:
    shared = [name for name in one.jobs if name in other.jobs]
    if not shared:
        raise LabError("the two flights have no cell in common")
    versions = _version(one), _version(other)
    lines = [f"Flown {_day(one)} and {_day(other)}. Kernels: {_kernels(one, other)}.", "",
             "| cell | " + " | ".join(versions) + " |", "|---|---|---|"]
    lines += [f"| `{name}` | {one.jobs[name].status} | {other.jobs[name].status} |" for name in sorted(shared)]
    lines += ["", f"Of {compared(one, other)} facts that the guests of these cells were handed or read back, these differ:",
              "", "| fact | paths | " + " | ".join(versions) + " | why they may |", "|---|---|---|---|---|"]
    lines += [f"| {_cell(row.field)} | {', '.join(paths)} | {_cell(row.one)} | {_cell(row.other)} | {row.why} |"
              for row, paths in differences(one, other).items()]
    return "\n".join(lines) + "\n"


def differences(one: Record, other: Record) -> dict[Row, list[str]]:
    """By what differs, on which paths it does, in the order of the facts' names."""
    found: dict[Row, set[str]] = {}
    for name, a, b in _both(one, other):
        fields = grid.flatten(a), grid.flatten(b)
        for field in fields[0].keys() | fields[1].keys():
            before, value = (facts.get(field, rules.ABSENT) for facts in fields)
            if before != value:
                row = Row(field, grid.shown(before, WIDTH), grid.shown(value, WIDTH), _why(field, a, b, before, value, other))
                found.setdefault(row, set()).add(b.cell.column)
    return {row: model.in_order(found[row]) for row in sorted(found, key=lambda row: (row.field, row.one, row.other))}


def compared(one: Record, other: Record) -> int:
    return sum(len(grid.flatten(a).keys() | grid.flatten(b).keys()) for _, a, b in _both(one, other))


def _both(one: Record, other: Record):
    """Guests that ran in both, timing repeats aside."""
    for name, a in one.jobs.items():
        b = other.jobs.get(name)
        if b and a.status in model.EXECUTED and b.status in model.EXECUTED and not a.cell.round and a.guest and b.guest:
            yield name, a, b


def _why(field: str, a: model.Job, b: model.Job, before: object, value: object, other: Record) -> str:
    """The rule that would explain it between two paths of one flight, if it is about this path's own freedom."""
    column, reference = b.cell.column, f"{b.cell.column}:before"
    context = rules.Context({column: b, reference: a}, {column: grid.flatten(b), reference: grid.flatten(a)},
                            other.kernel(b.cell.kernel))
    try:
        rule = rules.explain(rules.Difference(field, column, before, value, reference), context)
    except (KeyError, TypeError, AttributeError):  # it compares with a path that is not here, or a fact that is absent
        rule = None
    return rule.reason if rule and rule.kind == rules.PLACEMENT or rule and "emulation" in rule.reason else ""


def _version(record: Record) -> str:
    return f"Xen {record.flight['xen']} ({record.flight.get('release') or 'no release said'})"


def _day(record: Record) -> str:
    return record.flight["started"][:10]


def _kernels(one: Record, other: Record) -> str:
    names = {name: row["file"] for record in (one, other) for name, row in record.flight["kernels"].items()}
    return ", ".join(f"{name} ({file})" for name, file in sorted(names.items()))


def _cell(text: str) -> str:
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"
