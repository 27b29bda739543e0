# SPDX-License-Identifier: LGPL-2.1-only
"""Our ACPI tables, as iasl reads them: disassembled without a complaint, and compiled again to the same bytes."""
import json
import shutil
import struct
import subprocess

import pytest


@pytest.fixture
def tables(pvboot, kernel, tmp_path):
    """tables(*options): the tables a launched guest would find, by signature."""
    if not (pvboot.path.parent / "pvboot-launch").exists():
        pytest.skip("pvboot-launch is not built: no Xen headers")

    def make(*options):
        out = tmp_path / "dump"
        plan = pvboot.ok("launch", "--dry-run", "--dump", out, *options, kernel)
        start = next(s for s in json.loads(plan)["segments"] if s["name"] == "acpi")["start"]
        data = (out / "acpi").read_bytes()

        def at(gpa):
            length, = struct.unpack_from("<I", data, gpa - start + 4)
            return data[gpa - start:gpa - start + length]

        rsdp = data.index(b"RSD PTR ")
        xsdt = at(struct.unpack_from("<Q", data, rsdp + 24)[0])
        listed = [at(gpa) for gpa, in struct.iter_unpack("<Q", xsdt[36:])]
        fadt = next(t for t in listed if t[:4] == b"FACP")
        pointed = [at(gpa) for gpa in struct.unpack_from("<QQ", fadt, 132)]
        return {t[:4].decode(): t for t in [xsdt, *listed, *pointed]}
    return make


def disassembled(table, directory):
    if not shutil.which("iasl"):
        pytest.skip("no iasl here (Debian: acpica-tools)")
    name = table[:4].decode()
    (directory / f"{name}.dat").write_bytes(table)
    done = subprocess.run(["iasl", "-d", f"{name}.dat"], cwd=directory, capture_output=True, text=True)
    text = (directory / f"{name}.dsl").read_text()
    assert done.returncode == 0 and "rror" not in done.stderr, done.stderr
    assert "arning" not in done.stdout + done.stderr, done.stdout + done.stderr
    assert "Incorrect checksum" not in text and "**** " not in text, text
    return text


@pytest.mark.parametrize("options, signatures", [
    ([], {"XSDT", "FACP", "APIC", "FACS", "DSDT"}),
    (["--vcpus", "4"], {"XSDT", "FACP", "APIC", "FACS", "DSDT"}),
    (["--timers", "--vcpus", "128"], {"XSDT", "FACP", "APIC", "FACS", "DSDT", "HPET"}),
])
def test_iasl_reads_each_table(tables, tmp_path, options, signatures):
    found = tables(*options)
    assert set(found) == signatures
    for table in found.values():
        disassembled(table, tmp_path)


def test_iasl_finds_what_is_meant(tables, tmp_path):
    found = tables("--timers", "--vcpus", "2")
    madt = disassembled(found["APIC"], tmp_path)
    assert madt.count("[Processor Local APIC]") == 2 and "[I/O APIC]" in madt and "PC-AT Compatibility : 1" in madt
    fadt = disassembled(found["FACP"], tmp_path)
    assert "Hardware Reduced (V5) : 0" in fadt and "PM Timer Block Address : 0000B008" in fadt
    assert "CMOS RTC Not Present (V5) : 0" in fadt
    pvh = disassembled(tables()["FACP"], tmp_path)
    assert "Hardware Reduced (V5) : 1" in pvh and "CMOS RTC Not Present (V5) : 1" in pvh
    assert "VGA Not Present (V4) : 1" in pvh


@pytest.mark.parametrize("name", ["FACP", "APIC", "HPET"])
def test_iasl_compiles_them_to_the_same_bytes(tables, tmp_path, name):
    table = tables("--timers")[name]
    disassembled(table, tmp_path)
    done = subprocess.run(["iasl", "-p", "again", f"{name}.dsl"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    again = bytearray((tmp_path / "again.aml").read_bytes())
    again[9] = table[9]          # checksum and creator: iasl puts itself there
    again[28:36] = table[28:36]
    assert bytes(again) == table
