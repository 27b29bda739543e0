# SPDX-License-Identifier: LGPL-2.1-only
"""Pictures of a flight as inline SVG.  Colours are classes, so that the page's light and dark styles reach them."""

import html

LANE, LEFT, WIDTH = 34, 110, 1180


def element(name: str, content: str = "", **attributes: object) -> str:
    text = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"' for key, value in attributes.items())
    return f"<{name}{text}>{content}</{name}>"


def titled(text: str) -> str:
    return element("title", html.escape(text))


def picture(width: float, height: float, content: str, label: str) -> str:
    """As large as it is drawn, never larger; where the page is narrower it scrolls."""
    drawn = element("svg", titled(label) + content, viewBox=f"0 0 {width:.0f} {height:.0f}", width=f"{width:.0f}",
                    height=f"{height:.0f}", role="img", aria_label=label)
    return f'<div class="scroll" tabindex="0">{drawn}</div>'


def label(x: float, y: float, text: str, class_: str = "", anchor: str = "start", **more: object) -> str:
    return element("text", html.escape(text), x=f"{x:.1f}", y=f"{y:.1f}", class_=class_, text_anchor=anchor, **more)


# --- time ---------------------------------------------------------------------------------------------------------------

def timeline(lanes: dict[str, list[tuple[str, float]]], phases: list[str], ends: dict[str, str], name: str) -> str:
    """Stacked medians; `phases` gives every phase its colour, `ends` the words at a lane's end."""
    longest = max((sum(seconds for _, seconds in lane) for lane in lanes.values()), default=0) or 1
    scale = (WIDTH - LEFT - 250) / longest
    step, ruler, out, y = _step(longest), [], [], 8.0
    for path, lane in lanes.items():
        out.append(label(LEFT - 8, y + LANE / 2 + 5, path, "lane", "end"))
        x = float(LEFT)
        for phase, seconds in lane:
            width = seconds * scale
            out.append(element("rect", titled(f"{path}: {phase}: {seconds:.3f} s"), class_=f"seg p{phases.index(phase)}",
                               x=f"{x:.1f}", y=f"{y:.1f}", width=f"{max(width, 0.5):.1f}", height=LANE - 6))
            x += width
        out.append(label(x + 6, y + LANE / 2 + 3, ends[path], "tickname"))
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
