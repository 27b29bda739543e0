# SPDX-License-Identifier: LGPL-2.1-only
"""pvboot's packages in place of what was built: which files of them dom0 gets, and for which Xen they are."""

import subprocess

import pytest

from lab.base import packages
from lab.base.errors import LabError
from lab.machine import debs, install

XEN = "4.17"


@pytest.fixture
def deb(tmp_path):
    def build(name, depends, *files):
        tree = tmp_path / "build" / name
        for path in files:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(f"{name}\n")
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: x <x@example.org>\n"
                                             f"Depends: {depends}\nDescription: x\n")
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, tmp_path / "debs" / f"{name}_1_amd64.deb"], check=True,
                       capture_output=True)
    (tmp_path / "debs").mkdir()
    return build


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    for name, value in (("PVBOOT_LAB_DIR", "lab"), ("PVBOOT_BUILD", "built"), (debs.VARIABLE, "debs")):
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.setattr(packages, "xen_version", lambda: XEN)


def whole(deb, xen=XEN):
    deb("libpvboot0", "libc6", "usr/lib/x86_64-linux-gnu/libpvboot.so.0")
    deb("pvboot", "libc6", "usr/bin/pvboot", "usr/share/man/man1/pvboot.1", "usr/share/doc/pvboot/copyright")
    deb("xen-pvboot", f"pvboot (= 1), libxenmisc{xen}, libc6", "usr/lib/pvboot/pvboot-xl.so", "usr/lib/pvboot/bin/xl")


def test_what_a_host_would_have(deb, tmp_path):
    whole(deb)
    got = install._contents()
    assert {name: path.read_text().strip() for name, path in got.items()} == {
        "/usr/lib/x86_64-linux-gnu/libpvboot.so.0": "libpvboot0", "/usr/bin/pvboot": "pvboot",
        "/usr/lib/pvboot/pvboot-xl.so": "xen-pvboot", "/usr/lib/pvboot/bin/xl": "xen-pvboot"}


def test_what_make_left_there_does_not_count(deb, tmp_path):
    whole(deb)
    built = tmp_path / "built"
    built.mkdir()
    for name in ("pvboot", "pvboot-capture", "pvboot-stub.elf"):
        (built / name).write_text("made\n")
    got = install._contents()
    assert got[install.FILES["pvboot-capture"]].read_text() == "made\n"  # no package has the lab's own
    assert got["/usr/bin/pvboot"].read_text() == "pvboot\n"
    assert install.built("pvboot-xl.so") and install.built("pvboot-capture") and not install.built("pvboot-stub.elf")


def test_packages_for_another_xen_are_refused(deb):
    whole(deb, "4.20")
    with pytest.raises(LabError, match="xen-pvboot is for Xen 4.20, and dom0 has 4.17"):
        debs.files()


def test_packages_that_are_not_there(deb):
    with pytest.raises(LabError, match="0 packages libpvboot0; make debs"):
        debs.files()
