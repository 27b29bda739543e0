# SPDX-License-Identifier: LGPL-2.1-only
"""What can be read in the report: labels that do not collide, pictures of their own size, fields by reason, whole values."""

import html
import random
import re

import pytest

from lab.flight import fieldtable, grid, htmlparts, htmlreport, judge, layout, memorymap, model, stats
from lab.flight.layout import Segment
from lab.flight.memorymap import Label

LINUX32 = "6.1/1cpu/256M/small/linux32"


@pytest.mark.parametrize("made", [htmlparts.fold("<b>&", ""), htmlparts.key("", "<b>&"), htmlparts.code("<b>&")],
                         ids=["fold", "key", "code"])
def test_text_is_no_html(made):
    """Names of kernels, files and fields come from elsewhere."""
    assert "&lt;b&gt;&amp;" in made and "<b>" not in made
LEFT, RIGHT = 110.0, 1176.0


@pytest.mark.parametrize("n, text", [(0, "0"), (0x28, "40 B"), (0x1000, "4 KiB"), (0xa0000, "640 KiB"), (0x100000, "1 MiB"),
                                     (0x101000, "1.004 MiB"), (0xfc000000, "4032 MiB"), (1 << 33, "8192 MiB")])
def test_sizes(n, text):
    assert memorymap.size(n) == text


@pytest.mark.parametrize("seed", range(60))
def test_labels_do_not_collide(seed):
    """However many there are and wherever: beside each other in each row, in order, inside the picture."""
    chance = random.Random(seed)
    crowd = chance.choice([20.0, 200.0, 1000.0])
    start = chance.uniform(LEFT, RIGHT - crowd)
    labels = [Label(chance.uniform(start, start + crowd), ("x" * chance.randint(3, 12), "0x10bd058, 16.738 MiB"))
              for _ in range(chance.randint(1, 14))]
    rows = memorymap.spread(labels, LEFT, RIGHT)
    assert {one.row for one in labels} <= set(range(rows))
    for row in range(rows):
        mine = [one for one in labels if one.row == row]
        assert all(LEFT - .01 <= one.left and one.left + one.width <= RIGHT + .01 for one in mine)
        assert all(a.left + a.width <= b.left + .01 for a, b in zip(mine, mine[1:]))


def test_a_row_is_never_too_full():
    """Dealt to two rows, both long ones would be in the first."""
    labels = [Label(at, ("x" * n, "")) for at, n in ((200, 130), (300, 2), (400, 130), (500, 2))]
    assert memorymap.spread(labels, LEFT, RIGHT) == 3
    assert labels[0].row != labels[2].row


def test_one_label_is_under_what_it_names():
    alone = [Label(500, ("zero page", "0x100000, 1 MiB"))]
    assert memorymap.spread(alone, LEFT, RIGHT) == 1 and alone[0].left + alone[0].width / 2 == 500
    assert memorymap.spread([], LEFT, RIGHT) == 0


def test_each_segment_is_named_and_its_colour_too(record):
    found = layout.segments(record.jobs[LINUX32], record.flight["kernels"]["6.1"])
    drawn = memorymap.memory_map({"linux32": found}, {"linux32": []}, "x")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    for segment in (s for s in found if not s.background):
        assert any(text.startswith(segment.name) for text in texts), segment.name
        if segment.name in texts:  # a sliver
            assert any(text.startswith(f"{segment.start:#x}, ") for text in texts), segment.name
    used = set(re.findall(r'class="seg ([\w-]+)"', drawn))
    assert used <= {class_ for class_, _ in memorymap.COLOURS} and len(used) > 5
    assert drawn.count("<polyline") >= 4


def test_an_overlap_says_so():
    a, b = Segment("kernel", 0x1000000, 0x2000000), Segment("ramdisk", 0x1800000, 0x2800000)
    assert "OVERLAP" in memorymap.memory_map({"x": [a, b]}, {"x": [(a, b)]}, "x")
    assert "OVERLAP" not in memorymap.memory_map({"x": [a, b]}, {"x": []}, "x")


def rendered(record, tmp_path):
    return htmlreport.render(judge.judge(record, {}), {}, tmp_path)


def test_pictures_scroll_and_are_not_blown_up(record, tmp_path):
    text = rendered(record, tmp_path)
    pictures = [tag for tag in re.findall(r"<svg[^>]*>", text) if 'class="key"' not in tag]
    assert len(pictures) >= 5
    for tag in pictures:
        width, height = re.search(r'viewBox="0 0 (\d+) (\d+)"', tag).groups()
        assert f'width="{width}"' in tag and f'height="{height}"' in tag and f'<div class="scroll" tabindex="0">{tag}' in text
    css = htmlreport.CSS.read_text()
    assert not re.search(r"^svg \{[^}]*width: 100%", css, re.M) and re.search(r"\.scroll \{ overflow-x: auto", css)


def test_fields_of_one_reason_stand_together(record):
    text = fieldtable.table(grid.grids(record)[0])
    groups = re.findall(r'<tr class="reason">.*?<div>(.*?) <span class="count">(\d+) field', text)
    assert len(groups) == len({why for why, _ in groups}) > 3
    rows = sum(row.differs for row in grid.grids(record)[0].rows)
    assert sum(int(n) for _, n in groups) == rows == text.count('<tr><td><code class="name">')


def test_what_has_no_rule_comes_first(record):
    record.jobs[LINUX32].guest["guest_type"] = "HVM"
    groups = re.findall(r'<tr class="reason">.*?<div>(.*?) <span', fieldtable.table(grid.grids(record)[0]))
    assert groups[0] == fieldtable.NO_RULE and fieldtable.NO_RULE not in groups[1:]


def test_names_break_at_dots_and_underscores():
    assert fieldtable.name("guest.zero_page.x<") == \
        '<code class="name">guest.<wbr>zero_<wbr>page.<wbr>x&lt;</code>'


def test_a_long_value_is_whole():
    long = "; ".join(f"{n:x}-{n + 1:x} type 1" for n in range(40))
    shown = fieldtable.value(long)
    assert shown.startswith('<details class="value"><summary>') and f"<code>{html.escape(long)}</code></details>" in shown
    assert fieldtable.value(0x1000) == "<code>0x1000</code>"


def test_totals_stand_apart_and_runs_are_told(record, tmp_path):
    """One run, too, says how many there were and how far apart."""
    part = re.search(r'<section id="time">.*?</section>', rendered(record, tmp_path), re.S).group(0)
    totals, _, phases = part.partition("<h3>Phases</h3>")
    assert "<strong>create</strong>" in totals and "create" not in re.findall(r"<tr><td>([^<]*)</td>", phases)
    assert "0.700 &plusmn; 0.000 (1)" in totals and "0.500 &plusmn; 0.000 (1)" in phases
    assert "0.70 \N{PLUS-MINUS SIGN} 0.00 (1) + 4.00 \N{PLUS-MINUS SIGN} 0.00 (1) s" in totals
    assert re.findall(r'<th class="part"[^>]*>([^<]*)<', phases) == ["the toolstack, until xl create returns", "the guest"]


def test_repeats_have_their_spread(record, tmp_path):
    job = record.jobs[LINUX32]
    for number, seconds in enumerate((1.0, 2.0, 6.0), 1):
        again = model.Job(model.Cell("6.1", "linux32", round=number), model.PASS, times={"create": seconds})
        record.jobs[again.cell.id] = again
    assert "2.000 &plusmn; 1.000 (3)" in rendered(record, tmp_path) and job.cell.round == 0
    assert stats.by_group(record)
