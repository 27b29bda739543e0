# SPDX-License-Identifier: LGPL-2.1-only
"""examples/, and a launcher's calls, built against what was installed, and run."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
LANGUAGES = [["gcc", "-std=c99"], ["gcc", "-std=c17"], ["clang", "-std=c2x"], ["g++", "-x", "c++", "-std=c++17"],
             ["clang++", "-x", "c++", "-std=c++17"]]


def flags(staged, *asked):
    env = {**os.environ, "PKG_CONFIG_PATH": str(staged / "lib/pkgconfig")}
    return subprocess.run(["pkg-config", f"--define-variable=prefix={staged}", "--cflags", "--libs", *asked],
                          capture_output=True, text=True, check=True, env=env).stdout.split()


def run(staged, *command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True,
                          env={**os.environ, "LD_LIBRARY_PATH": str(staged / "lib")}, **more)


@pytest.fixture(scope="module")
def place(staged):
    """Anybody may look into it, as the parser's user has to; the parser is beside what is built here."""
    with tempfile.TemporaryDirectory() as name:
        where = pathlib.Path(name)
        where.chmod(0o755)
        shutil.copy(staged / "lib/pvboot/pvboot-parse", where)
        yield where


@pytest.fixture(params=[*LANGUAGES, ["gcc", "-static"]], ids=" ".join)
def planner(request, staged, place):
    """-static links everything, as pkg-config --static says."""
    more = ["--static"] if "-static" in request.param else []
    if more:
        request.getfixturevalue("static_libelf")
    subprocess.run([*request.param, *STRICT, "-o", place / "planner", ROOT / "examples/planner.c",
                    *flags(staged, *more, "pvboot")], check=True)
    return place / "planner"


def test_planner(planner, staged, pvboot, kernel):
    """The same addresses and reasons as the command's."""
    done = run(staged, planner, kernel, 256, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    told = {(int(line.split()[0], 0), int(line.split()[1], 0), line.split(maxsplit=2)[2]) for line in done.stdout.splitlines()}
    assert told == {(s["start"], s["end"], f"{s['name']}: {s['why']}")
                    for s in pvboot.json("plan", "--memory", "256", kernel)["segments"]} and len(told) > 5


def test_planner_refuses_as_the_command_does(planner, staged, pvboot, tmp_path):
    (tmp_path / "none").write_bytes(b"no kernel")
    said, asked = run(staged, planner, tmp_path / "none", text=True), pvboot("plan", tmp_path / "none")
    assert (said.returncode, said.stderr) == (asked.returncode, asked.stderr) and said.returncode == 65


@pytest.fixture(scope="module", params=["gcc -std=c99", "gcc -O0", "clang -std=c17 -O3"])
def reader(request, staged, tmp_path_factory):
    where = tmp_path_factory.mktemp("reader") / "reader"
    subprocess.run([*request.param.split(), *STRICT, "-ffreestanding", "-nostdlib", "-static", "-fno-stack-protector",
                    f"-I{staged}/include", "-o", where, ROOT / "examples/reader.c"], check=True)
    return where


def test_reader(reader, staged, pvboot, kernel, tmp_path):
    """What was dumped, read by a program without any library."""
    manifest = pvboot.json("dump", "--entry", "linux64", "-o", tmp_path, kernel)
    chain = next(s["start"] for s in manifest["segments"] if s["name"] == "setup_data")
    dumped = (tmp_path / "zero-page").read_bytes() + (tmp_path / "setup_data").read_bytes()
    done = run(staged, reader, input=dumped)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0 and lines[:2] == ["hypervisor XenVMMXenVMM", f"filled by 0x{1:016x}"]
    at = int(lines[2].removeprefix("start info at "), 0)
    assert chain < at < chain + 4096
    console = next(s["start"] for s in pvboot.json("plan", kernel)["segments"] if s["name"] == "special pages") + 7 * 4096
    assert lines[3:] == [f"console page at 0x{console:016x}"]


@pytest.mark.parametrize("damage, status", [(lambda d: d[:0x250] + bytes(8) + d[0x258:], 1), (lambda d: d[:4096], 3),
                                            (lambda d: d[:4096 + 16 + int.from_bytes(d[4108:4112], 'little') - 1], 3),
                                            (lambda d: d[:4096 + 20] + b"?" + d[4096 + 21:], 7)])
def test_reader_believes_nothing(reader, staged, pvboot, kernel, tmp_path, damage, status):
    """No chain; a chain beyond memory, all of it or its last byte; a byte of the node changed: enum pvboot_handover_status."""
    pvboot.ok("dump", "--entry", "linux64", "-o", tmp_path, kernel)
    dumped = (tmp_path / "zero-page").read_bytes() + (tmp_path / "setup_data").read_bytes()
    assert run(staged, reader, input=damage(dumped)).returncode == status


LAUNCHER = r"""
#include <pvboot/xen.h>
#include <stdio.h>

static unsigned long pages;

static int claim(xc_interface *x, uint32_t domid, unsigned long n)
{
    (void)x, (void)domid;
    printf("claim %lu\n", n);
    return 0;
}
static int populate(xc_interface *x, uint32_t domid, unsigned long n, unsigned int order, unsigned int flags,
                    xen_pfn_t *gfn)
{
    (void)x, (void)domid, (void)flags, (void)gfn;
    pages += n << order;
    return (int)n;
}

int main(void)
{
    static struct pvboot_xen xen; /* of a domain that is not there: what is called is ours */
    static struct pvboot_machine machine;
    static struct pvboot_error e;
    int rc = pvboot_machine_default(&machine, 64ull << 20, 1, &e);

    xen.call.xc_domain_claim_pages = claim;
    xen.call.xc_domain_populate_physmap = populate;
    rc = rc ? rc : pvboot_xen_populate(&xen, &machine.map, UINT64_MAX, true, &e);
    printf("%d %lu %s\n", rc, pages, e.text);
    return 0;
}
"""


@pytest.mark.parametrize("language", [["gcc", "-std=gnu99"], ["clang", "-std=gnu2x"], ["g++", "-x", "c++", "-std=gnu++17"]],
                         ids=" ".join)
@pytest.mark.parametrize("static", [False, True])
def test_a_launcher(staged, tmp_path, language, static):
    """pvboot/xen.h comes with a library that has its functions."""
    if not (staged / "include/pvboot/xen.h").exists():
        assert not list((staged / "lib").glob("*pvboot-xen*")) and not (staged / "lib/pkgconfig/pvboot-xen.pc").exists()
        pytest.skip("built without Xen's headers: neither pvboot/xen.h nor libpvboot-xen is installed")
    (tmp_path / "a.c").write_text(LAUNCHER)
    linked = flags(staged, *(["--static"] if static else []), "pvboot-xen")
    if static:
        linked = [f"-l:lib{word[2:]}.a" if word in ("-lpvboot", "-lpvboot-xen") else word for word in linked]
    subprocess.run([*language, *STRICT, "-o", tmp_path / "a", tmp_path / "a.c", *linked], check=True)
    done = run(staged, tmp_path / "a", text=True)
    assert done.stdout == "claim 16384\nclaim 0\n0 16384 \n" and done.stderr == ""
