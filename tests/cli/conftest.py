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
