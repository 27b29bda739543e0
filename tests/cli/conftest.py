# SPDX-License-Identifier: LGPL-2.1-only
"""The program under test, and toy kernels for it."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/offline"))


class Program:
    def __init__(self, path):
        self.path = path

    def __call__(self, *args, **kwargs):
        return subprocess.run([self.path, *map(str, args)], capture_output=True, text=True, timeout=60, **kwargs)

    def ok(self, *args):
        done = self(*args)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def json(self, *args):
        return json.loads(self.ok(args[0], "--json", *args[1:]))


@pytest.fixture(scope="session")
def pvboot():
    return Program(ROOT / os.environ.get("PVBOOT_BUILD", "build") / "pvboot")


@pytest.fixture(scope="session")
def staged(tmp_path_factory):
    """Where everything is installed, for programs that only know that."""
    where = tmp_path_factory.mktemp("staged")
    subprocess.run(["make", "-s", "install", f"BUILD={os.environ.get('PVBOOT_BUILD', 'build')}", f"DESTDIR={where}"],
                   cwd=ROOT, check=True)
    return where / "usr"


@pytest.fixture(scope="session")
def static_libelf(tmp_path_factory):
    """There is one that programs can be linked with: Debian 13's lacks functions that it calls itself."""
    program = tmp_path_factory.mktemp("libelf") / "program.c"
    program.write_text("#include <libelf.h>\nint main(void) { return elf_end(elf_begin(0, ELF_C_NULL, 0)); }\n")
    libraries = subprocess.run(["pkg-config", "--static", "--libs", "libelf"], capture_output=True, text=True, check=True)
    linked = subprocess.run(["gcc", "-static", "-o", program.with_suffix(""), program, *libraries.stdout.split()],
                            capture_output=True, text=True)
    if linked.returncode:
        why = [line for line in linked.stderr.splitlines() if "undefined reference" in line] or linked.stderr.splitlines()
        pytest.skip(f"gcc -static links no program with this machine's libelf.a: {why[0]}")


@pytest.fixture(scope="session")
def public(pvboot):
    """Copies of the programs in a directory that any user may look into, unlike the one they were built in, perhaps."""
    with tempfile.TemporaryDirectory() as name:
        where = pathlib.Path(name)
        where.chmod(0o755)
        for program in "pvboot", "pvboot-parse":
            if (pvboot.path.parent / program).exists():
                shutil.copy(pvboot.path.parent / program, where)
        yield Program(where / "pvboot")


@pytest.fixture
def kernel(tmp_path):
    import images
    path = tmp_path / "vmlinuz"
    path.write_bytes(images.bzimage())
    return path


@pytest.fixture
def elf(tmp_path):
    import images
    path = tmp_path / "vmlinux"
    path.write_bytes(images.elf(images.xen_notes(images.LOAD)))
    return path


@pytest.fixture
def ramdisk(tmp_path):
    path = tmp_path / "initrd"
    path.write_bytes(bytes(range(1, 255)) * 33)
    return path
