# SPDX-License-Identifier: LGPL-2.1-only
"""The fields that differ, one table: those with one reason together."""

import html
import re

from . import grid
from .htmlparts import code

SHORT = 48  # characters of a value that are shown before it is opened
NO_RULE = "LOOK: no rule explains this"
ORDER = (grid.LOOK, "placement", "editor", "expected")  # what wants looking at first


def table(g: grid.Grid) -> str:
    groups: dict[str, list[grid.Row]] = {}
    for row in (row for row in g.rows if row.differs):
        groups.setdefault(_why(row), []).append(row)
    columns = g.columns
    top = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in ["field", *columns])
    parts = []
    for why, rows in sorted(groups.items(), key=lambda item: (_rank(item[1]), -len(item[1]), item[0])):
        count = f"{len(rows)} field{'s' if len(rows) > 1 else ''}"
        parts.append(f'<tbody><tr class="reason"><th scope="rowgroup" colspan="{len(columns) + 1}"><div>{why}'
                     f' <span class="count">{count}</span></div></th></tr>'
                     + "".join(f'<tr><td>{name(row.field)}</td>{"".join(_cell(row, c) for c in columns)}</tr>' for row in rows)
                     + "</tbody>")
    return (f'<div class="scroll" tabindex="0"><table class="fields" style="min-width:{14 + 11 * len(columns)}rem">'
            f"<thead><tr>{top}</tr></thead>{''.join(parts)}</table></div>")


def name(field: str) -> str:
    """It may be broken behind a dot or an underscore, and nowhere else."""
    broken = re.sub(r"([._])", r"\1<wbr>", html.escape(field))
    return f'<code class="name">{broken}</code>'


def value(text: object) -> str:
    """Whole; a long one opens."""
    whole = grid.shown(text, 1 << 20)
    if len(whole) <= SHORT:
        return code(whole)
    return f"<details class=\"value\"><summary>{code(whole[:SHORT - 3] + '...')}</summary>{code(whole)}</details>"


def _cell(row: grid.Row, path: str) -> str:
    entry = row.entries[path]
    if entry.mark == grid.NONE:
        return '<td class="none">&ndash;</td>'
    if entry.mark == grid.SAME:
        return f'<td class="same">{value(entry.value) if path in (row.reference, entry.reference) else "="}</td>'
    return f'<td class="{entry.mark}">{value(entry.value)}</td>'


def _rank(rows: list[grid.Row]) -> int:
    marks = {entry.mark for row in rows for entry in row.entries.values()}
    return min(ORDER.index(mark) for mark in marks if mark in ORDER)


def _why(row: grid.Row) -> str:
    """Each reason once, with the paths it is for where there are several."""
    reasons: dict[str, list[str]] = {}
    for path, entry in row.entries.items():
        if entry.mark not in (grid.SAME, grid.NONE):
            reasons.setdefault(NO_RULE if entry.mark == grid.LOOK else entry.reason, []).append(path)
    return "<br>".join(html.escape(f"{', '.join(paths)}: {reason}" if len(reasons) > 1 else reason)
                       for reason, paths in reasons.items())
