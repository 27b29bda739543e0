# SPDX-License-Identifier: LGPL-2.1-only
"""Medians, and how far from them a run is."""

import statistics


def median(values: list[float]) -> float:
    return statistics.median(values)


def mad(values: list[float]) -> float:
    """The median of the distances from the median."""
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values)


def ratio(stock: list[float], ours: list[float]) -> float:
    """The median of the pairs' ratios: a pair was measured one after the other."""
    return statistics.median(a / b for a, b in zip(stock, ours, strict=True))


def seconds(value: float) -> str:
    return f"{value * 1e3:.0f} ms" if value < 1 else f"{value:.2f} s"


def within(values: list[float]) -> str:
    """"1.42 s ±3": the median, and the MAD in ms."""
    return f"{seconds(median(values))} ±{mad(values) * 1e3:.0f}"


def mib(count: float) -> str:
    return f"{count / (1 << 20):.1f}"


def aligned(lines: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() + "\n" for line in lines)
