# SPDX-License-Identifier: LGPL-2.1-only
"""The report as one self-contained HTML file: pictures, and beside each the table it was drawn from."""

import html
import os
from pathlib import Path

from . import abi, fieldtable, grid, layout, memorymap, model, stats, svg
from .baseline import LIKE, NEVER, REGR
from .htmlparts import code, fold, key, table
from .judge import Outcome
from .model import Job

CSS = (Path(__file__).parent / "page.css")
MARKS = (("same", "as the reference"), ("expected", "expected"), ("placement", "placement"), ("editor", "the guest's kernel"),
         ("LOOK", "LOOK: unexplained"), ("none", "this path hands over no such thing"))


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


def _anchor(job: Job) -> str:
    return f"job-{job.cell.name}"


def _banner(outcome: Outcome) -> str:
    flight = outcome.record.flight
    kernels = ", ".join(f"{name} ({html.escape(k['file'])})" for name, k in flight.get("kernels", {}).items())
    bad = "" if outcome.exit_code == 0 else " bad"
    return (f'<p class="banner{bad}"><strong>{html.escape(outcome.summary)}</strong></p>'
            f"<p>Started {html.escape(flight.get('started', ''))}, Xen {html.escape(flight.get('xen', ''))}, "
            f"build {code(flight.get('built', ''))}. Kernels: {kernels}.</p>")


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
    as_table = table(["job", "status", "against the baseline"], [
        [f'<a href="#{_anchor(job)}">{html.escape(name)}</a>', f'<span class="s-{job.status}">{job.status}</span>',
         html.escape(outcome.verdicts[name].text)] for name, job in sorted(outcome.record.jobs.items()) if not job.cell.round])
    columns = model.in_order({column for cells in rows.values() for column in cells})
    return svg.heat_map(columns, rows) + fold("The same as a table", as_table)


# --- memory -------------------------------------------------------------------------------------------------------------

def _memory(outcome: Outcome) -> str:
    legend = "".join(key(class_, text) for class_, text in memorymap.COLOURS)
    out = ["<p>Each stretch of addresses is as wide as the logarithm of its size. What is too narrow for its name has it below. "
           "A red frame is an overlap. A PV guest has no physical addresses of its own before its first instruction.</p>"
           f'<p class="legend">{legend}</p>']
    for n, g in enumerate(outcome.grids):
        lanes, collisions, rows = {}, {}, []
        inspected = outcome.record.kernel(g.group.split("/")[0])
        for path in g.columns:
            found = layout.segments(outcome.job(g.group, path), inspected)
            if not found:
                continue
            lanes[path], collisions[path] = found, layout.overlaps(found)
            rows += [[path, html.escape(s.name), f'<td class="n mono">{s.start:#x}</td>',
                      f'<td class="n mono">{s.end:#x}</td>', f'<td class="n">{memorymap.size(s.start)}</td>',
                      f'<td class="n">{s.end - s.start}</td>', f'<td class="n">{memorymap.size(s.end - s.start)}</td>']
                     for s in sorted(found, key=lambda s: s.start)]
            rows += [[path, f'<td class="no">overlap of {a.name} and {b.name}</td>', "", "", "", "", ""] for a, b in collisions[path]]
        if lanes:
            as_table = table(["path", "what", "start", "end", "starts at", "bytes", "size"], rows)
            out.append(fold(g.group, memorymap.memory_map(lanes, collisions, g.group) + fold("The same as a table", as_table), n == 0))
    return "".join(out)


# --- time ---------------------------------------------------------------------------------------------------------------

def _time(outcome: Outcome) -> str:
    out = [f"<p>Medians of runs in which the paths took turns. A verdict needs {stats.THRESHOLD_RUNS} runs of both, and medians "
           f"further apart than {stats.THRESHOLD_MADS:g} median absolute deviations (MAD) and {stats.THRESHOLD_SHARE:.0%}. "
           "Time under emulation is not time on metal: compare ratios within one flight. A bar is as long as the medians of its "
           "phases together; beside it are the totals, create and guest, of whole runs: median &plusmn; MAD (runs).</p>"]
    for n, (group, samples) in enumerate(stats.by_group(outcome.record).items()):
        phases = list(stats.TOOLSTACK + stats.GUEST)
        lanes = {path: [(phase, of[phase].median) for phase in phases if phase in of] for path, of in samples.items()}
        ends = {path: _end(of) for path, of in samples.items()}
        legend = "".join(key(f"p{i}", phase) for i, phase in enumerate(phases))
        out.append(fold(group, f'<p class="legend">{legend}</p>' + svg.timeline(lanes, phases, ends, group)
                        + _time_tables(samples), n == 0))
    return "".join(out)


def _end(of: dict[str, stats.Sample]) -> str:
    """What whole runs came to: their toolstack's part, their guest's."""
    parts = [f"{of[phase].median:.2f} \N{PLUS-MINUS SIGN} {of[phase].mad:.2f} ({of[phase].n})" for phase in TOTALS if phase in of]
    return " + ".join(parts) + " s"


TOTALS = ("create", "guest")


def _time_tables(samples: dict[str, dict]) -> str:
    """What a run came to, by itself; then where it went."""
    builder = sorted({phase for of in samples.values() for phase in of if phase.startswith("builder: ")})
    totals = [[f"<strong>{phase}</strong>"] + [_seconds(of.get(phase)) for of in samples.values()] for phase in TOTALS]
    totals += [_against(samples, phase) for phase in TOTALS]
    parts = [("the toolstack, until xl create returns", stats.TOOLSTACK), ("of it, pvboot's builder", builder),
             ("the guest", stats.GUEST)]
    rows = []
    for title, phases in parts:
        present = [phase for phase in phases if any(phase in of for of in samples.values())]
        if present:
            rows.append([f'<th class="part" scope="rowgroup" colspan="{len(samples) + 1}">{html.escape(title)}</th>'])
        rows += [[html.escape(phase.removeprefix("builder: "))] + [_seconds(of.get(phase)) for of in samples.values()]
                 for phase in present]
    unit = "seconds: median &plusmn; MAD (n)"
    return (f"<h3>Totals</h3>{table([unit, *samples], totals, 'times')}"
            f"<h3>Phases</h3>{table([unit, *samples], rows, 'times')}")


def _against(samples: dict[str, dict], phase: str) -> list[str]:
    base = samples.get("xl-pvh", {}).get(phase)
    words = [html.escape(stats.verdict(base, of[phase])) if base and phase in of and path != "xl-pvh" else "&ndash;"
             for path, of in samples.items()]
    one = set(words) - {"&ndash;"}
    title = f"{phase} against xl-pvh"
    return [title] + ([f'<td colspan="{len(words)}">{one.pop()}</td>'] if len(one) == 1 else words)


def _seconds(sample: stats.Sample | None) -> str:
    return "&ndash;" if sample is None else f'<td class="n">{sample.median:.3f} &plusmn; {sample.mad:.3f} ({sample.n})</td>'


# --- fields -------------------------------------------------------------------------------------------------------------

def _fields(outcome: Outcome) -> str:
    legend = "".join(key(f"m-{mark}", text) for mark, text in MARKS)
    out = [f'<p>{outcome.look_count} unexplained.</p><p class="legend">{legend}</p>']
    for n, g in enumerate(outcome.grids):
        different = [row for row in g.rows if row.differs]
        squares = [(row.field, [row.entries[path].mark for path in g.columns]) for row in g.rows if "dmesg" not in row.field]
        text = f"<p>{len(g.rows)} fields, {len(g.rows) - len(different)} the same on all paths that have them.</p>"
        out.append(fold(g.group, text + svg.field_grid(g.columns, squares, g.group)
                         + fold("The fields that differ, by reason", fieldtable.table(g), n == 0), n == 0))
    return "".join(out)


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
            rows += [[path, code(c.field), html.escape(c.text), code(c.value),
                      "yes" if c.ok else '<td class="no">NO</td>'] for c in checked]
        if lanes:
            as_table = table(["path", "what", "the ABI demands", "is", "so?"], rows)
            out.append(fold(g.group, svg.registers(lanes, wrong, g.group) + fold("The same as a table", as_table), n == 0))
    return "".join(out)


# --- jobs ---------------------------------------------------------------------------------------------------------------

def _jobs(outcome: Outcome, logs: dict[str, Path], target: Path) -> str:
    out = []
    for name, job in sorted(outcome.record.jobs.items()):
        steps = table(["step", "status", "seconds", "detail"], [
            [s.name, f'<span class="s-{s.status}">{s.status}</span>', f'<td class="n">{s.seconds:.1f}</td>',
             html.escape(s.detail)] for s in job.steps])
        runvars = table(["runvar", "value"], [[html.escape(key), code(value)] for key, value in job.runvars.items()
                                               if key not in ("plan", "loaded")])
        verdict = f"<p>{html.escape(outcome.verdicts[name].text)}</p>"
        content = verdict + steps + _links(logs.get(name), target) + fold("runvars", runvars)
        out.append(f'<div id="{_anchor(job)}">{fold(f"{job.status}: {name}", content)}</div>')
    return "".join(out)


def _links(directory: Path | None, target: Path) -> str:
    if directory is None or not directory.is_dir():
        return ""
    files = sorted(p for p in directory.rglob("*") if p.is_file() and p.suffix in (".log", ".txt", ".cfg"))
    links = " ".join(f'<a href="{html.escape(os.path.relpath(p, target))}">'
                     f"{html.escape(str(p.relative_to(directory)))}</a>" for p in files)
    return f"<p>Logs: {links}</p>"
