# SPDX-License-Identifier: LGPL-2.1-only
"""The report as one self-contained HTML file: pictures, and beside each the table it was drawn from."""

import html
import os
from pathlib import Path

from . import abi, grid, layout, model, stats, svg
from .baseline import LIKE, NEVER, REGR
from .judge import Outcome
from .model import Job

CSS = (Path(__file__).parent / "page.css")
MARKS = (("same", "as the reference"), ("expected", "expected"), ("placement", "placement"), ("editor", "the guest's kernel"),
         ("LOOK", "LOOK: unexplained"))


def render(outcome: Outcome, logs: dict[str, Path], target: Path) -> str:
    """`logs`: the directory of each job; links are relative to `target`, the report's own directory."""
    sections = [("heat", "Jobs", _heat(outcome)), ("memory", "Memory at the first instruction", _memory(outcome)),
                ("time", "Time", _time(outcome)), ("fields", "Fields", _fields(outcome)),
                ("registers", "Registers against the ABI", _registers(outcome)),
                ("jobs", "Each job", _jobs(outcome, logs, target))]
    title = f"Boot paths on Xen: {outcome.record.flight.get('id', '')}"
    nav = "".join(f'<a href="#{name}">{html.escape(text)}</a>' for name, text, _ in sections)
    body = "".join(f'<section id="{name}"><h2>{html.escape(text)}</h2>{content}</section>'
                   for name, text, content in sections)
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{html.escape(title)}</title><style>{CSS.read_text()}</style></head><body>"
            f'<a class="skip" href="#heat">To the results</a><h1>{html.escape(title)}</h1>{_banner(outcome)}<nav>{nav}</nav>'
            f"<main>{body}</main></body></html>\n")


def _table(head: list[str], rows: list[list[str]], class_: str = "") -> str:
    """Cells are HTML already; one that starts with <td is a whole one."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join("<tr>" + "".join(cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in row) + "</tr>"
                   for row in rows)
    return f'<div class="scroll"><table class="{class_}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _fold(title: str, content: str, open_: bool = False) -> str:
    return f"<details{' open' if open_ else ''}><summary>{html.escape(title)}</summary>{content}</details>"


def _key(class_: str, text: str) -> str:
    """A square in the colour of a class, and what it stands for."""
    square = f'<svg class="key" viewBox="0 0 9 9" aria-hidden="true"><rect class="{class_}" width="9" height="9"/></svg>'
    return f'<span class="item">{square}{text}</span> '


def _anchor(job: Job) -> str:
    return f"job-{job.cell.name}"


def _code(text: object) -> str:
    return f"<code>{html.escape(str(text))}</code>"


def _banner(outcome: Outcome) -> str:
    flight = outcome.record.flight
    kernels = ", ".join(f"{name} ({html.escape(k['file'])})" for name, k in flight.get("kernels", {}).items())
    bad = "" if outcome.exit_code == 0 else " bad"
    return (f'<p class="banner{bad}"><strong>{html.escape(outcome.summary)}</strong></p>'
            f"<p>Started {html.escape(flight.get('started', ''))}, Xen {html.escape(flight.get('xen', ''))}, "
            f"build {_code(flight.get('built', ''))}. Kernels: {kernels}.</p>")


# --- heat map -----------------------------------------------------------------------------------------------------------

def _heat(outcome: Outcome) -> str:
    rows: dict[str, dict] = {}
    for job in outcome.record.jobs.values():
        if job.cell.round:
            continue
        verdict = outcome.verdicts[job.cell.id]
        bad = verdict.word in (REGR, NEVER) or job.status not in (model.PASS, model.BLOCKED, model.SKIP)
        kind = "like" if verdict.word == LIKE else "bad" if bad else job.status
        rows.setdefault(job.cell.group, {})[job.cell.column] = (
            kind, verdict.word if bad or verdict.word else job.status, f"#{_anchor(job)}", verdict.text)
    rows = dict(sorted(rows.items()))
    table = _table(["job", "status", "against the baseline"], [
        [f'<a href="#{_anchor(job)}">{html.escape(name)}</a>', f'<span class="s-{job.status}">{job.status}</span>',
         html.escape(outcome.verdicts[name].text)] for name, job in sorted(outcome.record.jobs.items()) if not job.cell.round])
    columns = model.in_order({column for cells in rows.values() for column in cells})
    return svg.heat_map(columns, rows) + _fold("The same as a table", table)


# --- memory -------------------------------------------------------------------------------------------------------------

def _memory(outcome: Outcome) -> str:
    out = ["<p>Each stretch of addresses is as wide as the logarithm of its size. The background is what the guest is told: "
           '<span class="key" style="background:var(--ram)"></span>RAM<span class="key" style="background:var(--reserved)">'
           '</span>reserved<span class="key" style="background:var(--acpi)"></span>ACPI. K kernel with its whole window, '
           "Z zero page, S start info, C command line, D setup_data, R ramdisk, P page tables, G GDT, T stub and k the "
           "kernel file it gets, B GRUB, L module list, M memory map. "
           "A red frame is an overlap. A PV guest has no physical addresses of its own before its first instruction.</p>"]
    for n, g in enumerate(outcome.grids):
        lanes, collisions, rows = {}, {}, []
        inspected = outcome.record.kernel(g.group.split("/")[0])
        for path in g.columns:
            found = layout.segments(outcome.job(g.group, path), inspected)
            if not found:
                continue
            lanes[path], collisions[path] = found, layout.overlaps(found)
            rows += [[path, html.escape(s.name), f'<td class="n mono">{s.start:#x}</td>',
                      f'<td class="n mono">{s.end:#x}</td>', f'<td class="n">{s.end - s.start}</td>'] for s in found]
            rows += [[path, f'<td class="no">overlap of {a.name} and {b.name}</td>', "", "", ""] for a, b in collisions[path]]
        if lanes:
            table = _table(["path", "what", "start", "end", "bytes"], rows)
            out.append(_fold(g.group, svg.memory_map(lanes, collisions, g.group) + _fold("The same as a table", table), n == 0))
    return "".join(out)


# --- time ---------------------------------------------------------------------------------------------------------------

def _time(outcome: Outcome) -> str:
    out = [f"<p>Medians of runs in which the paths took turns. A verdict needs {stats.THRESHOLD_RUNS} runs of both, and medians "
           f"further apart than {stats.THRESHOLD_MADS:g} median absolute deviations and {stats.THRESHOLD_SHARE:.0%}. "
           "Time under emulation is not time on metal: compare ratios within one flight.</p>"]
    for n, (group, samples) in enumerate(stats.by_group(outcome.record).items()):
        phases = list(stats.TOOLSTACK + stats.GUEST)
        lanes = {path: [(phase, of[phase].median) for phase in phases if phase in of] for path, of in samples.items()}
        key = "".join(_key(f"p{i}", phase) for i, phase in enumerate(phases))
        out.append(_fold(group, f"<p>{key}</p>" + svg.timeline(lanes, phases, group) + _time_table(samples), n == 0))
    return "".join(out)


def _time_table(samples: dict[str, dict]) -> str:
    order = [*stats.TOOLSTACK, "create", *stats.GUEST, "guest"]
    names = sorted({phase for of in samples.values() for phase in of},
                   key=lambda phase: (order.index(phase) if phase in order else len(order), phase))
    rows = [[html.escape(phase)] + [_seconds(of.get(phase)) for of in samples.values()] for phase in names]
    for phase in ("create", "guest"):
        base = samples.get("xl-pvh", {}).get(phase)
        words = [html.escape(stats.verdict(base, of[phase])) if base and phase in of and path != "xl-pvh" else "&ndash;"
                 for path, of in samples.items()]
        one = set(words) - {"&ndash;"}
        rows.append([f"<strong>{phase}</strong> against xl-pvh"]
                    + ([f'<td colspan="{len(words)}">{one.pop()}</td>'] if len(one) == 1 else words))
    return _table(["seconds: median &plusmn; MAD (n)", *samples], rows, "times")


def _seconds(sample: stats.Sample | None) -> str:
    if sample is None:
        return '<td class="none">&ndash;</td>'
    spread = f" &plusmn; {sample.mad:.3f} ({sample.n})" if sample.n > 1 else ""
    return f'<td class="n">{sample.median:.3f}{spread}</td>'


# --- fields -------------------------------------------------------------------------------------------------------------

def _fields(outcome: Outcome) -> str:
    key = "".join(_key(f"m-{mark}", text) for mark, text in MARKS)
    out = [f"<p>{outcome.look_count} unexplained. {key} Hollow: this path hands over no such thing.</p>"]
    for n, g in enumerate(outcome.grids):
        different = [row for row in g.rows if row.differs]
        squares = [(row.field, [row.entries[path].mark for path in g.columns]) for row in g.rows if "dmesg" not in row.field]
        rows = [[_code(row.field)] + [_field_cell(row, path) for path in g.columns] + [_why(row)] for row in different]
        text = f"<p>{len(g.rows)} fields, {len(g.rows) - len(different)} the same on all paths that have them.</p>"
        table = _table(["field", *g.columns, "why"], rows, "fields")
        out.append(_fold(g.group, text + svg.field_grid(g.columns, squares, g.group)
                         + _fold("The fields that differ, as a table", table, n == 0), n == 0))
    return "".join(out)


def _field_cell(row: grid.Row, path: str) -> str:
    entry = row.entries[path]
    if entry.mark == grid.NONE:
        return '<td class="none">&ndash;</td>'
    if entry.mark == grid.SAME:
        text = _code(grid.shown(entry.value, 60)) if path == row.reference else "="
        return f'<td class="same">{text}</td>'
    return f'<td class="{entry.mark}">{_code(grid.shown(entry.value, 60))}</td>'


def _why(row: grid.Row) -> str:
    """Each reason once, with the paths it is for where there are several."""
    reasons: dict[str, list[str]] = {}
    for path, entry in row.entries.items():
        if entry.mark not in (grid.SAME, grid.NONE):
            reasons.setdefault("LOOK: no rule explains this" if entry.mark == grid.LOOK else entry.reason, []).append(path)
    return "<br>".join(html.escape(f"{', '.join(paths)}: {reason}" if len(reasons) > 1 else reason)
                       for reason, paths in reasons.items())


# --- registers ----------------------------------------------------------------------------------------------------------

def _registers(outcome: Outcome) -> str:
    out = []
    for n, g in enumerate(outcome.grids):
        lanes, wrong, rows = {}, {}, []
        inspected = outcome.record.kernel(g.group.split("/")[0])
        for path in g.columns:
            job = outcome.job(g.group, path)
            if not job.handover:
                continue
            checked = abi.check(job, inspected) + abi.check_read_back(job, inspected)
            lanes[path] = job.handover["vcpu"]
            wrong[path] = {c.field for c in checked if not c.ok}
            rows += [[path, _code(c.field), html.escape(c.text), _code(c.value),
                      "yes" if c.ok else '<td class="no">NO</td>'] for c in checked]
        if lanes:
            table = _table(["path", "what", "the ABI demands", "is", "so?"], rows)
            out.append(_fold(g.group, svg.registers(lanes, wrong, g.group) + _fold("The same as a table", table), n == 0))
    return "".join(out)


# --- jobs ---------------------------------------------------------------------------------------------------------------

def _jobs(outcome: Outcome, logs: dict[str, Path], target: Path) -> str:
    out = []
    for name, job in sorted(outcome.record.jobs.items()):
        steps = _table(["step", "status", "seconds", "detail"], [
            [s.name, f'<span class="s-{s.status}">{s.status}</span>', f'<td class="n">{s.seconds:.1f}</td>',
             html.escape(s.detail)] for s in job.steps])
        runvars = _table(["runvar", "value"], [[html.escape(key), _code(value)] for key, value in job.runvars.items()
                                               if key not in ("plan", "loaded")])
        verdict = f"<p>{html.escape(outcome.verdicts[name].text)}</p>"
        content = verdict + steps + _links(logs.get(name), target) + _fold("runvars", runvars)
        out.append(f'<div id="{_anchor(job)}">{_fold(f"{job.status}: {name}", content)}</div>')
    return "".join(out)


def _links(directory: Path | None, target: Path) -> str:
    if directory is None or not directory.is_dir():
        return ""
    files = sorted(p for p in directory.rglob("*") if p.is_file() and p.suffix in (".log", ".txt", ".cfg"))
    links = " ".join(f'<a href="{html.escape(os.path.relpath(p, target))}">'
                     f"{html.escape(str(p.relative_to(directory)))}</a>" for p in files)
    return f"<p>Logs: {links}</p>"
