# SPDX-License-Identifier: LGPL-2.1-only
"""docs/handover.md against the header that guests copy and against what is planned."""
import fnmatch
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lab.cases.table import all_cases  # noqa: E402

PAGE = (ROOT / "docs/handover.md").read_text()
BYTES = {"u16": 2, "u32": 4, "u64": 8, "char[12]": 12}
SEGMENTS = {"zero page": "rsi", "start info": "rbx", "page tables": "cr3", "gdt": "gdt_gpa"}


def raw_table(*head):
    """The table whose head begins with these words: its rows, the head first."""
    start = PAGE.index(f"\n| {' | '.join(head)} |") + 1
    lines = PAGE[start:].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:1] + lines[2:]]


def table(*head):
    return [[cell.replace("`", "") for cell in row] for row in raw_table(*head)]


def compiles(tmp_path, claims):
    source = tmp_path / "claims.c"
    source.write_text("#include <pvboot/handover.h>\n" + "".join(f'_Static_assert({c}, "{c}");\n' for c in claims))
    return subprocess.run(["gcc", "-std=gnu11", "-fsyntax-only", f"-I{ROOT}/include", source], capture_output=True, text=True)


def test_payload(tmp_path):
    rows = table("offset")[1:]
    claims = [f"offsetof(struct pvboot_handover, {field}) == {at}" for at, _, field, _ in rows]
    claims += [f"sizeof(((struct pvboot_handover *)0)->{field}) == {BYTES[kind]}" for _, kind, field, _ in rows]
    assert len(rows) == 13 and compiles(tmp_path, claims).stderr == ""
    assert sum(BYTES[kind] for _, kind, _, _ in rows) == 64
    assert re.search(r"entry type `(0x\w+)`", PAGE)[1] in (ROOT / "include/pvboot/handover.h").read_text()


def test_numbers(tmp_path):
    claims = [f"PVBOOT_TLV_{name} == {number}" for number, name, _ in table("type", "TLV")[1:]]
    claims += [f"PVBOOT_HANDOVER_MAGIC == {table('offset')[1][3].split(',')[0]}"]
    assert len(claims) == 8 and compiles(tmp_path, claims).stderr == ""


def test_statuses():
    """Each outcome of the reader is in the table, and no other."""
    header = (ROOT / "include/pvboot/handover.h").read_text()
    known = set(re.findall(r"^    PVBOOT_HANDOVER_(\w+),", header, re.M)) - {"OK"}
    told = set(re.findall(r"\b[A-Z_]{4,}\b", " ".join(row[1] for row in table("what is there")[1:])))
    assert told == known


@pytest.mark.parametrize("path", ["pvh", "linux32", "linux64", "vmlinux64"])
def test_registers(pvboot, kernel, path):
    head, *rows = table("register")
    plan = pvboot.json("plan", "--entry", path, kernel)
    entry = pvboot.json("inspect", kernel)["entries"][path]["gpa"]
    segments = {segment["name"]: segment["start"] for segment in plan["segments"]}
    vcpu = plan["vcpu"]
    for row in rows:
        name, said = row[0], row[head.index(path)]
        if name == "rip":
            assert vcpu["rip"] == (entry if "E" in said else plan["kernel_load_gpa"] + (0x200 if "0x200" in said else 0))
        elif name == "gdtr":
            base, limit = said.split(", limit ")
            assert (vcpu["gdt_gpa"], vcpu["gdt_limit"]) == (segments.get(base, 0), int(limit, 0)) and base in ("gdt", "0")
        else:
            wanted = segments[said] if said in SEGMENTS else int(said, 16)
            assert vcpu[name.split(",")[0]] == wanted, name


@pytest.mark.parametrize("path", ["pvh", "linux64"])
def test_memory(pvboot, kernel, ramdisk, path):
    """The picture has the segments in the plan's order."""
    picture = PAGE[PAGE.index("## Memory"):].split("```")[1]
    low = re.search(r"pvh: ([^)]*)" if path == "pvh" else r"1 MiB  ([^(]*)", picture)[1]
    told = [name.strip() for name in low.split("|")] + re.findall(r"(kernel|ramdisk|acpi|special pages): ", picture)
    plan = pvboot.json("plan", "--entry", path, "--ramdisk", ramdisk, "--cmdline", "quiet", kernel)
    assert told == [segment["name"] for segment in sorted(plan["segments"], key=lambda s: s["start"])]
    high = {f"{s['start']:#x}" for s in plan["segments"] if s["name"] in ("acpi", "special pages")}
    assert high == set(re.findall(r"^ +(0xf\w+)  ", picture, re.M))


def test_what_holds_it_exists():
    """Files by their name, rows of the lab by the pattern that chooses them."""
    names = re.findall(r"`([^`]+)`", " ".join(row[1] for row in raw_table("what it says of")))
    rows = [case.id for case in all_cases()]
    assert len(names) > 10
    for name in names:
        assert fnmatch.filter(rows, name) if "*" in name or name.startswith("probe/") else (ROOT / name).exists(), name
