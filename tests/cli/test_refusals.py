# SPDX-License-Identifier: LGPL-2.1-only
"""One error is one line, `pvboot: <class>: <file>: <what>`, and its class is the exit code."""
import re

import pytest

CLASS = {64: "usage", 65: "malformed", 66: "unreadable", 67: "unsupported", 68: "limit", 69: "nofit", 71: "host"}

# K a good kernel, E an ELF, T a text file, N nothing there, D a directory to write to, P a good zero page
ROWS = [
    (64, "", "no command"),
    (64, "frobnicate", "unknown command 'frobnicate'"),
    (64, "inspect", "no image"),
    (64, "inspect --latest K", "--latest and "),
    (64, "plan K K", "too much"),
    (64, "help frobnicate", "unknown command 'frobnicate'"),
    (64, "inspect --frob K", "'--frob'"),
    (64, "inspect -o D K", "'-o'"),
    (64, "plan -x K", "'-x'"),
    (64, "plan --memory", "'--memory' needs a value"),
    (64, "plan --memory= K", "--memory '' is not a number"),
    (64, "plan --memory 12x K", "--memory '12x'"),
    (64, "plan --memory -1 K", "--memory '-1'"),
    (64, "plan --memory 1e3 K", "--memory '1e3'"),
    (64, "plan --memory 18446744073709551616 K", "is over"),
    (64, "plan --memory 0 K", ""),
    (64, "plan --vcpus 0 K", ""),
    (64, "plan --vcpus 4294967296 K", "is over"),
    (64, "plan --entry frob K", "entry 'frob' is not one of auto, pvh, linux32, linux64, vmlinux64, stub, pv"),
    (64, "plan --subarch frob K", "subarch 'frob'"),
    (64, "plan --hypervisor kvm K", "hypervisor 'kvm'"),
    (64, "plan --rng-seed 00ff K", "rng_seed '00ff'"),
    (64, "plan --rng-seed " + "0" * 63 + "g K", "rng_seed"),
    (64, "plan --json=yes K", "--json=yes"),
    (64, "plan --cmdline a\x01b K", "control byte 0x01 at 1"),
    (64, "plan --cmdline a\nb K", "control byte 0x0a at 1"),
    (64, "plan -o D K", "-o"),
    (64, "dump K", "-o DIR is missing"),
    (64, "decode", "no file"),
    (64, "decode --zero-page P P", "too much"),
    (64, "decode --zero-page P --start-info P", "one file"),
    (64, "decode --zero-page P --type 9", "--type"),
    (64, "decode --setup-data P", "--base"),
    (64, "decode --zero-page P --base 0xfoo", "--base '0xfoo'"),
    (64, "decode --setup-data P --type 4294967296", "is over"),
    (65, "decode --check --zero-page T", "a zero page has 4096"),
    (66, "inspect N", "No such file"),
    (66, "inspect /dev/null", ""),
    (66, "inspect .", ""),
    (66, "plan --ramdisk N K", "No such file"),
    (66, "decode --zero-page N", "No such file"),
    (67, "inspect T", ""),
    (67, "plan --entry linux64 E", "linux64"),
    (67, "plan --entry stub K", "stub"),
    (68, "plan --vcpus 129 K", "129"),
    (68, "plan --memory 8388609 K", ""),
    (68, "plan --cmdline " + "x" * 2048 + " K", "2048"),
    (68, "plan" + " --ramdisk R" * 9 + " K", "ramdisks"),
    (69, "plan --memory 3 K", ""),
    (71, "dump -o /proc/nowhere K", "/proc/nowhere"),
]


@pytest.mark.parametrize("code, command, text", ROWS, ids=[f"{c}-{a[:40]!r}" for c, a, _ in ROWS])
def test_refusal(pvboot, kernel, elf, ramdisk, tmp_path, code, command, text):
    (tmp_path / "text").write_text("no kernel at all\n" * 99)
    (tmp_path / "page").write_bytes(bytes(4096))
    names = {"K": kernel, "E": elf, "R": ramdisk, "T": tmp_path / "text", "P": tmp_path / "page",
             "N": tmp_path / "nothing", "D": tmp_path / "out"}
    before = sorted(p.name for p in tmp_path.iterdir())
    done = pvboot(*(names.get(word, word) for word in command.split(" ") if word), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert re.fullmatch(rf"pvboot: {CLASS[code]}: [\x20-\x7e]+\n", done.stderr), done.stderr
    assert text in done.stderr
    if code != 65:  # decode shows what it found before it judges
        assert done.stdout == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == before  # nothing is left behind


def test_names_the_file(pvboot, tmp_path):
    (tmp_path / "evil\x1b[2Jname").write_bytes(b"x" * 1000)
    done = pvboot("inspect", tmp_path / "evil\x1b[2Jname")
    assert done.returncode == 67
    assert "evil\\x1b[2Jname" in done.stderr and "\x1b" not in done.stderr


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["plan", "--json"], ["inspect"]])
def test_full_disk(pvboot, kernel, args):
    import subprocess
    if not args[0].startswith("-"):
        args = args + [kernel]
    with open("/dev/full", "w") as full:
        done = subprocess.run([pvboot.path, *map(str, args)], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 71
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("pvboot: host: ")


def test_limits_that_fit(pvboot, kernel, ramdisk):
    pvboot.ok("plan", "--cmdline", "x" * 2047, kernel)
    pvboot.ok("plan", "--vcpus", 128, kernel)
    pvboot.ok("plan", "--memory", 8388608, kernel)
    pvboot.ok("plan", *["--ramdisk", ramdisk] * 8, kernel)
    pvboot.ok("plan", "--cmdline", "grüße", kernel)


def test_help_and_version(pvboot):
    assert re.fullmatch(r"pvboot \d+\.\d+\.\d+\n", pvboot.ok("--version"))
    text = pvboot.ok("--help")
    for verb in ("inspect", "plan", "dump", "decode"):
        assert f"pvboot {verb} " in text
