# SPDX-License-Identifier: LGPL-2.1-only
"""Pictures of a flight as inline SVG.  Colours are classes, so that the page's light and dark styles reach them."""

import html
import math

from .layout import Segment

LETTERS = {"kernel": "K", "ramdisk": "R", "zero page": "Z", "cmdline": "C", "setup_data": "D", "start info": "S",
           "GDT": "G", "page tables": "P", "stub": "T", "grub": "B", "module list": "L", "memory map": "M",
           "module 0": "k"}
LANE, GAP, LEFT, WIDTH = 34, 10, 110, 1040


def element(name: str, content: str = "", **attributes: object) -> str:
    text = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{text}>{content}</{name}>"


def titled(text: str) -> str:
    return element("title", html.escape(text))


def picture(width: float, height: float, content: str, label: str) -> str:
    return element("svg", titled(label) + content, viewBox=f"0 0 {width:.0f} {height:.0f}", role="img",
                   aria_label=label, preserveAspectRatio="xMinYMin meet")


def label(x: float, y: float, text: str, class_: str = "", anchor: str = "start", **more: object) -> str:
    return element("text", html.escape(text), x=f"{x:.1f}", y=f"{y:.1f}", class_=class_, text_anchor=anchor, **more)


# --- memory -------------------------------------------------------------------------------------------------------------

class Axis:
    """Guest-physical addresses in order, each stretch as wide as the logarithm of its size: a page is as visible as a GiB."""

    def __init__(self, lanes: list[list[Segment]], left: float, width: float) -> None:
        self.edges = sorted({0} | {edge for lane in lanes for s in lane for edge in (s.start, s.end)})
        covered = [s for lane in lanes for s in lane]
        weights = [self._weight(a, b, any(s.start <= a and b <= s.end for s in covered))
                   for a, b in zip(self.edges, self.edges[1:])]
        scale = width / (sum(weights) or 1)
        self._x = {self.edges[0]: left} if self.edges else {}
        for edge, before, weight in zip(self.edges[1:], self.edges, weights):
            self._x[edge] = self._x[before] + weight * scale

    @staticmethod
    def _weight(start: int, end: int, used: bool) -> float:
        return max(1.0, math.log2((end - start) / 4096 + 1)) if used else 1.5

    def x(self, edge: int) -> float:
        return self._x[edge]


def memory_map(lanes: dict[str, list[Segment]], collisions: dict[str, list[tuple[Segment, Segment]]], name: str) -> str:
    axis = Axis(list(lanes.values()), LEFT, WIDTH - LEFT - 10)
    out, y = [], 8.0
    for path, found in lanes.items():
        out.append(label(LEFT - 8, y + LANE / 2 + 5, path, "lane", "end"))
        for segment in sorted(found, key=lambda s: not s.background):
            out.append(_box(axis, segment, y))
        for a, b in collisions[path]:
            start, end = max(a.start, b.start), min(a.end, b.end)
            out.append(element("rect", titled(f"overlap: {a.name} and {b.name}, {start:#x} to {end:#x}"), class_="overlap",
                               x=f"{axis.x(start):.1f}", y=f"{y - 3:.1f}",
                               width=f"{max(2.0, axis.x(end) - axis.x(start)):.1f}", height=LANE + 6))
        y += LANE + GAP
    return picture(WIDTH, y + 92, _ticks(axis, y) + "".join(out), f"guest-physical memory at the first instruction, {name}")


def _box(axis: Axis, segment: Segment, y: float) -> str:
    x, width = axis.x(segment.start), max(1.5, axis.x(segment.end) - axis.x(segment.start))
    kind = segment.name.split()[0].lower() if segment.background else "solid k-" + segment.name.replace(" ", "-").lower()
    height = LANE if segment.background else LANE - 12
    text = titled(f"{segment.name}: {segment.start:#x} to {segment.end:#x}, {segment.end - segment.start} bytes")
    box = element("rect", text, class_=f"seg {kind}", x=f"{x:.1f}", y=f"{y + (LANE - height) / 2:.1f}",
                  width=f"{width:.1f}", height=height)
    letter = LETTERS.get(segment.name)
    return box + (label(x + width / 2, y + LANE / 2 + 4, letter, "letter", "middle") if letter and width > 9 else "")


def _ticks(axis: Axis, y: float) -> str:
    out, last = [], -100.0
    for edge in axis.edges:
        x = axis.x(edge)
        if x - last < 15:
            continue
        last = x
        out.append(element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=4, y2=f"{y + 2:.1f}", class_="tick"))
        out.append(label(x, y + 10, f"{edge:#x}", "tickname", "end", transform=f"rotate(-60 {x:.1f} {y + 10:.1f})"))
    return "".join(out)


# --- time ---------------------------------------------------------------------------------------------------------------

def timeline(lanes: dict[str, list[tuple[str, float]]], phases: list[str], name: str) -> str:
    """Stacked medians; `phases` gives every phase its colour."""
    longest = max((sum(seconds for _, seconds in lane) for lane in lanes.values()), default=0) or 1
    scale = (WIDTH - LEFT - 70) / longest
    step, ruler, out, y = _step(longest), [], [], 8.0
    for path, lane in lanes.items():
        out.append(label(LEFT - 8, y + LANE / 2 + 5, path, "lane", "end"))
        x = float(LEFT)
        for phase, seconds in lane:
            width = seconds * scale
            out.append(element("rect", titled(f"{path}: {phase}: {seconds:.3f} s"), class_=f"seg p{phases.index(phase)}",
                               x=f"{x:.1f}", y=f"{y:.1f}", width=f"{max(width, 0.5):.1f}", height=LANE - 6))
            x += width
        out.append(label(x + 6, y + LANE / 2 + 3, f"{sum(s for _, s in lane):.2f} s", "tickname"))
        y += LANE + 2
    for n in range(int(longest / step) + 1):
        x = LEFT + n * step * scale
        ruler.append(element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=4, y2=f"{y:.1f}", class_="tick"))
        ruler.append(label(x, y + 14, f"{n * step:g} s", "tickname", "middle"))
    return picture(WIDTH, y + 20, "".join(ruler + out), f"time per path, {name}")


def _step(longest: float) -> float:
    return next((step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if longest / step <= 12), 200)


# --- fields, registers, cells -------------------------------------------------------------------------------------------

def field_grid(columns: list[str], rows: list[tuple[str, list[str]]], name: str) -> str:
    """A square per field and path, coloured by its mark."""
    size, per_line = 9, 100
    out, y = [], 8.0
    for start in range(0, len(rows), per_line):
        part = rows[start:start + per_line]
        for n, column in enumerate(columns):
            out.append(label(LEFT - 8, y + 8, column, "lane small", "end"))
            out += [element("rect", titled(f"{field}: {column}: {marks[n]}"), class_=f"seg m-{marks[n]}",
                            x=f"{LEFT + i * size:.1f}", y=f"{y:.1f}", width=size - 1, height=size - 1)
                    for i, (field, marks) in enumerate(part)]
            y += size + 2
        y += 8
    return picture(WIDTH, y, "".join(out), f"fields by path, {name}")


BITS = {"cr0": {"PE": 0, "ET": 4, "NE": 5, "WP": 16, "NW": 29, "CD": 30, "PG": 31}, "cr4": {"PAE": 5, "LA57": 12},
        "efer": {"SCE": 0, "LME": 8, "LMA": 10, "NX": 11}, "rflags": {"TF": 8, "IF": 9, "VM": 17}}


def registers(lanes: dict[str, dict[str, int]], wrong: dict[str, set[str]], name: str) -> str:
    """Mode bits of vCPU 0: filled is set; a register that the ABI does not allow has a red frame."""
    cell, out, x = 42, [], float(LEFT)
    height = 34 + (LANE + 2) * len(lanes)
    for register, bits in BITS.items():
        out.append(label(x, 14, register.upper(), "lane"))
        for bit in bits:
            out.append(label(x + cell / 2 - 2, 29, bit, "tickname", "middle"))
            for n, (path, cpu) in enumerate(lanes.items()):
                is_set = cpu.get(register, 0) >> bits[bit] & 1
                bad = f"cpu.{register}" in wrong[path]
                out.append(element("rect", titled(f"{path}: {register}.{bit} is {is_set}"), x=f"{x:.1f}",
                                   class_=f"bit {'on' if is_set else 'off'}{' bad' if bad else ''}",
                                   y=34 + n * (LANE + 2), width=cell - 4, height=LANE - 6))
                out.append(label(x + cell / 2 - 2, 34 + n * (LANE + 2) + 19, str(is_set), f"bitname b{is_set}", "middle"))
            x += cell
        x += 18
    out += [label(LEFT - 8, 34 + n * (LANE + 2) + 19, path, "lane", "end") for n, path in enumerate(lanes)]
    return picture(WIDTH, height, "".join(out), f"mode of vCPU 0 at its first instruction, {name}")


def heat_map(columns: list[str], rows: dict[str, dict[str, tuple[str, str, str, str]]]) -> str:
    """rows: {group: {path: (class, sign, target, words)}}; each cell links to its job."""
    left, width, height = 230, 94, 26
    out = [label(left + (n + 0.5) * width - 2, 14, column, "lane", "middle") for n, column in enumerate(columns)]
    for y, (group, cells) in enumerate(rows.items()):
        out.append(label(left - 10, 20 + y * height + 18, group, "lane", "end"))
        for n, column in enumerate(columns):
            if column not in cells:
                continue
            kind, sign, target, words = cells[column]
            box = element("rect", titled(words), class_=f"heat h-{kind}", x=left + n * width, y=20 + y * height,
                          width=width - 4, height=height - 4)
            text = label(left + (n + 0.5) * width - 2, 20 + y * height + 16, sign, "sign", "middle")
            out.append(element("a", box + text, href=target, aria_label=f"{group} {column}: {words}"))
    return picture(left + width * len(columns), 24 + height * len(rows), "".join(out), "kernels and shapes by path")
