# SPDX-License-Identifier: LGPL-2.1-only
"""The figures as text, and the README's table."""

from . import figures
from .run import STOCK
from .stamps import PHASES

BEGIN = "<!-- from docs/bench.json: python3 -m lab bench --readme -->\n"
README_PATHS = ("linux64", "linux32", "pvh", "pvh-cached", "vmlinux64", "vmlinux64-cached")
PAGE = 4096


def _values(cell: dict, field: str) -> list[float]:
    return [run[field] for run in cell["runs"]]


def _stock_of(cells: dict, name: str) -> dict:
    return cells[f"{name.split('/')[0]}/{STOCK}"]


def _ratio(cells: dict, name: str, field: str) -> float:
    return figures.ratio(_values(_stock_of(cells, name), field), _values(cells[name], field))


def times(report: dict) -> str:
    """Medians, ± the median distance from them in ms; ratios are stock's time over ours."""
    cells = report["cells"]
    userland = any("userland" in run for cell in cells.values() for run in cell["runs"])
    lines = [("kernel/path", "n", "create", "stock/ours", "builder", "stock/ours", "CPU",
              *(("userland", "stock/ours") if userland else ()), *PHASES)]
    for name, cell in cells.items():
        fields = ("create", "builder", *(("userland",) if userland else ()))
        pairs = {field: (figures.within(_values(cell, field)), f"{_ratio(cells, name, field):.2f}x") for field in fields}
        lines.append((name, str(len(cell["runs"])), *pairs["create"], *pairs["builder"],
                      figures.seconds(figures.median(_values(cell, "cpu"))), *pairs.get("userland", ()),
                      *(_phase(cell, phase) for phase in PHASES)))
    return figures.aligned(lines)


def _phase(cell: dict, phase: str) -> str:
    return f"{figures.median([run['phases'][phase] for run in cell['runs']]) * 1e3:.1f}"


def copied(counted: dict) -> int:
    """Bytes: by system calls, and by memcpy()."""
    return counted["read_bytes"] + counted["write_bytes"] + counted["copied"]


def mapped(counted: dict) -> int:
    return counted["pages"] * PAGE


def counts(report: dict) -> str:
    """One run each; what each column is: docs/bench.md."""
    lines = [("kernel/path", "copied MiB", "read", "written", "memcpy", "mapped MiB", "copied/mapped", "faults",
              "hypercalls", "maps", "processes", "xl MiB", "all MiB", "Xen entries", "iret", "lost")]
    for name, cell in report["cells"].items():
        c = cell["counts"]
        kib = figures.median(_values(cell, "xl_kib"))
        lines.append((name, figures.mib(copied(c)), figures.mib(c["read_bytes"]), figures.mib(c["write_bytes"]),
                      figures.mib(c["copied"]), figures.mib(mapped(c)), f"{copied(c) / mapped(c):.3f}", str(c["faults"]),
                      str(c["hypercalls"]), str(c["maps"]), str(c["processes"]), figures.mib(kib * 1024),
                      figures.mib(c["group_kib"] * 1024), str(c["xen_hypercalls"] + c["xen_irets"] + c["xen_others"]),
                      str(c["xen_irets"]), str(c["xen_lost"])))
    return figures.aligned(lines)


def _title(path: str) -> str:
    entry, cached, _ = path.partition("-cached")
    return f"`{entry}`" + (", unpacked before" if cached else "")


def readme(report: dict) -> str:
    """Create, and how often faster than stock."""
    cells = report["cells"]
    measured = {name.split("/")[1] for name in cells}
    paths = [path for path in README_PATHS if path in measured]
    lines = ["| kernel | stock PVH | " + " | ".join(_title(path) for path in paths) + " |", "|---" * (2 + len(paths)) + "|"]
    for kernel in dict.fromkeys(name.split("/")[0] for name in cells):
        row = [kernel, figures.within(_values(cells[f"{kernel}/{STOCK}"], "create"))]
        for path in paths:
            name = f"{kernel}/{path}"
            row.append(f"{figures.within(_values(cells[name], 'create'))}, {_ratio(cells, name, 'create'):.2f}x"
                       if name in cells else "\N{EN DASH}")
        lines.append("| " + " | ".join(row) + " |")
    n = {len(cell["runs"]) for cell in cells.values()}
    lines += ["", f"Xen {report['xen']}, {report['memory_mib']} MiB guests; medians of {'/'.join(map(str, sorted(n)))} creations"
              ", ± their median distance from it in ms; x: stock's time over ours."]
    return "\n".join(lines) + "\n"
