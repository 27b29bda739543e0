# SPDX-License-Identifier: LGPL-2.1-only
"""The picture of a guest's memory: what is too narrow for its name gets a label below, with a line to it."""

import dataclasses
import math

from .layout import Segment
from .svg import LEFT, WIDTH, element, label, picture, titled

BAR, LEADER, LINE, GAP = 22, 20, 13, 10   # of a lane: its bar, the lines to labels, each line of text, what follows
TICK = 88                                 # between two labels of the axis
CHARACTER = 6.3                           # as wide as one of a label is, at most
PLAIN = {"RAM": "ram", "reserved": "reserved", "ACPI": "acpi"}
# class of a segment's colour, and what has it
COLOURS = (("k-kernel", "kernel, with its whole window"), ("k-stub", "stub, GRUB"), ("k-module", "kernel file for the stub"),
           ("k-ramdisk", "ramdisk"), ("k-page", "zero page, start info"), ("k-cmdline", "command line"),
           ("k-setup_data", "setup_data"), ("k-tables", "page tables, GDT"), ("k-list", "module list, memory map"),
           ("ram", "RAM"), ("reserved", "reserved"), ("acpi", "ACPI"))
_CLASS = {"kernel": "k-kernel", "stub": "k-stub", "grub": "k-stub", "ramdisk": "k-ramdisk", "zero page": "k-page",
          "start info": "k-page", "cmdline": "k-cmdline", "setup_data": "k-setup_data", "page tables": "k-tables",
          "GDT": "k-tables", "module list": "k-list", "memory map": "k-list"}


def size(n: int) -> str:
    """In the unit that people say: 0xfc000000 is 4032 MiB."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if n >= unit:
            return f"{round(n / unit, 3):g} {name}"
    return f"{n} B" if n else "0"


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


@dataclasses.dataclass
class Label:
    """Two lines of text, for what is at `at`; `left` is where they were put, `row` in which row."""

    at: float
    lines: tuple[str, str]
    class_: str = ""
    left: float = 0.0
    row: int = 0

    @property
    def width(self) -> float:
        return max(map(len, self.lines)) * CHARACTER + 8


def spread(labels: list[Label], left: float, right: float) -> int:
    """Put each label near what it is for, none over another: in one row if they fit, else in two or more.  How many."""
    labels.sort(key=lambda one: one.at)
    rows = max(1, math.ceil(sum(one.width for one in labels) / (right - left)))
    while not _fits(labels, rows, left, right):
        rows += 1
    return rows if labels else 0


def _fits(labels: list[Label], rows: int, left: float, right: float) -> bool:
    for row in range(rows):
        mine = labels[row::rows]
        if sum(one.width for one in mine) > right - left:
            return False
        for block in _blocks(mine, left, right):
            at = block.left(left, right)
            for one in block.labels:
                one.row, one.left = row, at
                at += one.width
    return True


@dataclasses.dataclass
class _Block:
    """Labels side by side without a gap, together as near to what they are for as can be."""

    labels: list[Label]

    @property
    def width(self) -> float:
        return sum(one.width for one in self.labels)

    def left(self, least: float, most: float) -> float:
        wished, before = 0.0, 0.0
        for one in self.labels:
            wished += one.at - one.width / 2 - before
            before += one.width
        return min(max(wished / len(self.labels), least), most - self.width)


def _blocks(labels: list[Label], left: float, right: float) -> list[_Block]:
    """Each label begins alone; blocks that would overlap become one."""
    found: list[_Block] = []
    for one in labels:
        found.append(_Block([one]))
        while len(found) > 1 and found[-2].left(left, right) + found[-2].width > found[-1].left(left, right):
            found[-2:] = [_Block(found[-2].labels + found[-1].labels)]
    return found


def memory_map(lanes: dict[str, list[Segment]], collisions: dict[str, list[tuple[Segment, Segment]]], name: str) -> str:
    axis = Axis(list(lanes.values()), LEFT, WIDTH - LEFT - 10)
    out, y = [], 8.0
    for path, found in lanes.items():
        content, height = _lane(axis, path, found, collisions[path], y)
        out.append(content)
        y += height
    return picture(WIDTH, y + 34, _ticks(axis, y) + "".join(out), f"guest-physical memory at the first instruction, {name}")


def _lane(axis: Axis, path: str, found: list[Segment], collisions: list[tuple[Segment, Segment]], y: float) -> tuple[str, float]:
    out, labels = [label(LEFT - 8, y + BAR / 2 + 5, path, "lane", "end")], []
    for segment in sorted(found, key=lambda s: not s.background):
        out.append(_box(axis, segment, y))
        if not segment.background and not _has_room(axis, segment):
            labels.append(Label(_middle(axis, segment), (segment.name, f"{segment.start:#x}, {size(segment.start)}")))
    for a, b in collisions:
        start, end = max(a.start, b.start), min(a.end, b.end)
        out.append(element("rect", titled(f"overlap: {a.name} and {b.name}, {start:#x} to {end:#x}"), class_="overlap",
                           x=f"{axis.x(start):.1f}", y=f"{y - 3:.1f}",
                           width=f"{max(2.0, axis.x(end) - axis.x(start)):.1f}", height=BAR + 6))
        labels.append(Label(axis.x(start), ("OVERLAP", f"{start:#x}, {size(start)}"), " wrong"))
    rows = spread(labels, LEFT, WIDTH - 4)
    out += [_leader(one, y + BAR) for one in labels]
    return "".join(out), BAR + (LEADER + rows * 2 * LINE if rows else 0) + GAP


def _leader(one: Label, y: float) -> str:
    """From the bar's lower edge to the text."""
    x, top = one.left + one.width / 2, y + LEADER + one.row * 2 * LINE
    line = element("polyline", points=f"{one.at:.1f},{y - 3:.1f} {one.at:.1f},{y + 3:.1f} {x:.1f},{y + LEADER - 3:.1f} "
                   f"{x:.1f},{top - 1:.1f}", class_="leader" + one.class_)
    return line + label(x, top + LINE - 3, one.lines[0], "sliver" + one.class_, "middle") + \
        label(x, top + 2 * LINE - 4, one.lines[1], "tickname", "middle")


def _middle(axis: Axis, segment: Segment) -> float:
    return (axis.x(segment.start) + axis.x(segment.end)) / 2


def _has_room(axis: Axis, segment: Segment) -> bool:
    return axis.x(segment.end) - axis.x(segment.start) > len(segment.name) * (CHARACTER + .6) + 6


def _box(axis: Axis, segment: Segment, y: float) -> str:
    x, width = axis.x(segment.start), max(2.0, axis.x(segment.end) - axis.x(segment.start))
    bytes_ = segment.end - segment.start
    text = titled(f"{segment.name}: {segment.start:#x} to {segment.end:#x}, {bytes_} bytes ({size(bytes_)})")
    kind = PLAIN.get(segment.name, "reserved") if segment.background else _CLASS.get(segment.name, "k-module")
    inset = 0 if segment.background else 3
    box = element("rect", text, class_=f"seg {kind}", x=f"{x:.1f}", y=f"{y + inset:.1f}", width=f"{width:.1f}",
                  height=BAR - 2 * inset)
    if segment.background or not _has_room(axis, segment):
        return box
    more = f"{segment.name}  {size(bytes_)}"
    return box + label(x + width / 2, y + BAR / 2 + 4, more if width > len(more) * CHARACTER + 12 else segment.name, "inside",
                       "middle")


def _ticks(axis: Axis, y: float) -> str:
    """Each edge has its line; a label only where there is room for it."""
    out, last = [], -TICK
    for edge in axis.edges:
        x = axis.x(edge)
        out.append(element("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=4, y2=f"{y + 2:.1f}", class_="tick"))
        if x - last < TICK:
            continue
        last = x
        anchor = "end" if x > WIDTH - TICK / 2 else "middle"
        out += [label(x, y + 14, f"{edge:#x}", "tickname", anchor), label(x, y + 27, size(edge), "tickname", anchor)]
    return "".join(out)
