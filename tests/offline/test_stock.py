# SPDX-License-Identifier: LGPL-2.1-only
"""The same files before pvboot's parser and stock libxenguest's, as PVH kernels: verdict, entry, pages that are loaded.

docs/differences.md lists every kind of disagreement, by what pvboot or stock says; one that is not listed fails, and so
does a line of the list that nothing here meets.
"""
import collections
import fnmatch
import pathlib
import random
import re
import struct
import subprocess
import sys

import images
import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(TOP / "tests/confine"), str(TOP / "tests/fuzz")]

import corpus  # noqa: E402
import seeds  # noqa: E402
import test_corpus  # noqa: E402

LIST = TOP / "docs/differences.md"
SEED, MUTANTS = 20160212, 1500
PAGE = 4096
WISH = len(seeds.WISH)  # what the targets that plan have in front of the file


def mutated():
    """A few bytes of a good kernel replaced, most of them in its headers and notes."""
    rng = random.Random(SEED)
    good = [seeds.elf(64), seeds.elf(32), images.elf(images.xen_notes(images.LOAD)),
            seeds.bzimage(seeds.pack("none", seeds.elf(64)))]
    for i in range(MUTANTS):
        data = bytearray(good[i % len(good)])
        for _ in range(rng.choice((1, 1, 2, 3))):
            at = rng.randrange(min(len(data), 400)) if rng.random() < 0.9 else rng.randrange(len(data))
            data[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256), data[at] ^ 1 << rng.randrange(8)))
        yield f"mutant {i}", bytes(data)


def cases(tmp_path):
    for name, data, _ in images.wild_elves():
        yield f"wild: {name}", data
    for group, make in test_corpus.GROUPS.items():
        for name, data in make():
            yield f"{group}: {name}", data
    for target in ("elf", "image"):
        corpus.unpack(target, tmp_path / target)
        for path in sorted((tmp_path / target).iterdir()):
            yield f"{target}: {path.name}", path.read_bytes()[WISH if target == "elf" else 0:]
    yield from mutated()


def judge(build, tmp_path, named):
    """(pvboot's figures, stock's, pvboot's sentence, stock's) of each file's contents."""
    tmp_path.mkdir()
    paths = [tmp_path / f"case-{i}" for i in range(len(named))]
    for path, data in zip(paths, named):
        path.write_bytes(data)
    done = subprocess.run([build / "tests/offline/verdicts"], input="".join(f"{p}\n" for p in paths), text=True,
                          capture_output=True, timeout=600, check=True)
    lines = [line.split(" | ") for line in done.stdout.splitlines()]
    assert len(lines) == len(named)
    return [([int(n, 0) for n in ours.split()], [int(n, 0) for n in stock.split()], why, says)
            for ours, stock, why, says in lines]


def without_sections(data):
    """The first ELF in @data without its section table, which pvboot never reads."""
    at, out = data.find(b"\x7fELF"), bytearray(data)
    if at < 0:
        return data
    wide = data[at + 4] == 2
    out[at + (40 if wide else 32):at + (48 if wide else 36)] = bytes(8 if wide else 4)
    out[at + (60 if wide else 48):at + (64 if wide else 52)] = bytes(4)
    return bytes(out)


def with_flags(data):
    """Each of its segments readable, writable, executable: stock leaves out one that is none of it."""
    at, out = data.find(b"\x7fELF"), bytearray(data)
    if at < 0:
        return data
    wide = data[at + 4] == 2
    table = struct.unpack_from("<Q" if wide else "<I", data, at + (32 if wide else 28))[0]
    number = struct.unpack_from("<H", data, at + (56 if wide else 44))[0]
    for i in range(number):
        off = at + table + (56 if wide else 32) * i + (4 if wide else 24)
        if off + 4 <= len(out):
            out[off:off + 4] = struct.pack("<I", 7)
    return bytes(out)


def with_setup_sects(data):
    if data[0x202:0x206] != b"HdrS":
        return data
    return data[:0x1f1] + bytes([data[0x1f1] or 4]) + data[0x1f2:]


# What stock says does not tell why; that a twin without the oddity is judged alike does.
TWINS = {
    "a section table it cannot read": without_sections,
    "a segment without flags": with_flags,
    "setup_sects 0": with_setup_sects,
    "both of the first two": lambda data: with_flags(without_sections(data)),
}


def twin_sentence(build, tmp_path, data, said):
    """Which oddity it is; @said when it is none of these."""
    tmp_path.mkdir()
    for sentence, make in TWINS.items():
        twin = make(data)
        verdict = judge(build, tmp_path / sentence.replace(" ", "-"), [twin])[0] if twin != data else None
        if verdict and verdict[0][0] == 0 and not disagreement(*verdict):
            return sentence
    return said


def pages(start, end):
    return start // PAGE, -(-end // PAGE)


def disagreement(ours, stock, why, says):
    """(who, sentence), or None."""
    if stock[0] < 0:
        return "stock dies", f"signal {-stock[0]}"
    if ours[0] and stock[0] == 0:
        return "pvboot refuses", why
    if not ours[0] and stock[0]:
        return "stock refuses", says
    if not ours[0] and ours[1] != stock[1]:
        return "both accept", "another entry"
    if not ours[0] and pages(*ours[2:]) != pages(*stock[2:]):
        return "both accept", "other pages"
    return None


def listed():
    """[(who, pattern)] of the table, whose * stands for any text."""
    rows = re.findall(r"^\| ((?:pvboot|stock) refuses|stock dies|both accept) \| `(.*?)` \|", LIST.read_text(), re.M)
    assert len(rows) > 5
    return rows


def test_in_the_wild(build, tmp_path):
    """What linkers make of notes starts here as it does there; what is none does not."""
    named = list(images.wild_elves())
    wrong = [(name, ours, stock, why) for (name, _, starts), (ours, stock, why, _)
             in zip(named, judge(build, tmp_path / "wild", [data for _, data, _ in named]))
             if (ours[0] == 0) != starts or (starts and (stock[0] or ours[1] != stock[1]))]
    assert not wrong, "\n".join(map(str, wrong))


def test_every_disagreement_is_listed(build, tmp_path):
    named = [(name, data) for name, data in cases(tmp_path) if data]  # libxenguest opens no empty file
    met, unlisted, agreed = collections.Counter(), [], collections.Counter()
    for i, ((name, data), verdict) in enumerate(zip(named, judge(build, tmp_path / "all", [d for _, d in named]))):
        found = disagreement(*verdict)
        if not found:
            agreed["refuse" if verdict[0][0] else "accept"] += 1
            continue
        if found[0] in ("stock refuses", "both accept"):
            found = found[0], twin_sentence(build, tmp_path / f"twins-{i}", data, found[1])
        row = next((row for row in listed() if row[0] == found[0] and fnmatch.fnmatchcase(found[1], row[1])), None)
        if row:
            met[row] += 1
        else:
            unlisted.append((name, *verdict[:2], found))
    print(f"{sum(agreed.values())} agree ({dict(agreed)}), {sum(met.values())} differ in {len(met)} listed ways")
    assert not unlisted, "\n".join(map(str, unlisted[:40]))
    assert agreed["accept"] > 50 and agreed["refuse"] > 50
    never = [row for row in listed() if not met[row]]
    assert not never, f"listed, but not met: {never}"
