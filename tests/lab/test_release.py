# SPDX-License-Identifier: LGPL-2.1-only
"""Another release than this machine's: where its packages are, and where its files go."""

import subprocess

import pytest

from lab.base import apt, elf, kernels, packages, paths, ready, release
from lab.base.errors import LabError, NoPackage
from lab.machine.host import Host

SAID = """\
http://mirror.example/debian bookworm main
http://mirror.example/debian bookworm-updates main
http://mirror.example/debian bookworm contrib
http://mirror.example/debian-security bookworm-security main
https://elsewhere.example/apt nodistro main
https://elsewhere.example/apt bookwormish main
"""


@pytest.fixture
def on_bookworm(monkeypatch, tmp_path):
    monkeypatch.setattr(release, "own", lambda: "bookworm")
    for name in ("PVBOOT_BUILD", release.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PVBOOT_LAB_DIR", str(tmp_path))
    return tmp_path


def test_the_archives_of_this_machine_by_the_other_releases_name():
    assert apt.sources(SAID, "bookworm", "trixie", False) == (
        "deb http://mirror.example/debian trixie main\n"
        "deb http://mirror.example/debian trixie-updates main\n"
        "deb http://mirror.example/debian trixie contrib\n"
        "deb http://mirror.example/debian-security trixie-security main\n")
    assert f"deb [signed-by={apt.KEYRING}] http" in apt.sources(SAID, "bookworm", "trixie", True)


@pytest.mark.parametrize("own", ["sid", ""])
def test_a_machine_whose_sources_tell_nothing_is_told_so(own):
    with pytest.raises(LabError, match="apt's sources name no suite of .*where trixie is"):
        apt.sources(SAID, own, "trixie", True)


def test_each_release_has_its_own_places(on_bookworm, monkeypatch):
    assert (paths.lab(), paths.build(), str(paths.root())) == (on_bookworm, paths.REPO / "build", "/")
    store = packages.Store()
    monkeypatch.setenv(release.VARIABLE, "trixie")
    assert paths.lab() == on_bookworm / "trixie" and paths.build() == paths.REPO / "build/trixie"
    assert paths.own_build() == paths.REPO / "build"
    assert paths.cache() == on_bookworm / "trixie/cache" and paths.cache("bookworm") == on_bookworm / "cache"
    assert paths.in_release(paths.root() / "usr/bin/xenstore") == "/usr/bin/xenstore"
    assert store.of("trixie") is store.of("trixie") and store.of("bookworm") is store


def test_a_guests_kernel_is_of_its_own_release_and_dom0s_of_the_booted_one(on_bookworm, monkeypatch):
    for name, kernel in (("bookworm", "6.1"), ("trixie", "6.12-deb13"), ("forky", "newest")):
        monkeypatch.setenv(release.VARIABLE, name)
        assert kernels.dom0().id == kernel and kernels.dom0().release == name
        assert kernels.dom0() in kernels.of_release()


def test_the_other_releases_compiler_and_loader(on_bookworm, monkeypatch):
    assert ready.compiler() == ["gcc"] and elf._lister(None) == ["ldd"]
    monkeypatch.setenv(release.VARIABLE, "trixie")
    root = on_bookworm / "trixie/root"
    start = root / elf.LIBRARIES / "Scrt1.o"
    start.parent.mkdir(parents=True)
    start.touch()
    command = ready.compiler()
    assert command[:2] == ["gcc", f"--sysroot={root}"]
    found = subprocess.run([*command, "-print-file-name=Scrt1.o"], capture_output=True, text=True, check=True).stdout
    assert found.strip() == str(start)  # this machine has one as well, which gcc would rather take
    assert elf._lister(on_bookworm) == [root / elf.LOADER, "--inhibit-cache", "--library-path",
                                        f"{on_bookworm}:{root / elf.LIBRARIES}", "--list"]


def test_a_release_nobody_knows_is_refused(on_bookworm):
    with pytest.raises(LabError, match="'potato' is not known; these are: bookworm, trixie, forky"):
        release.choose("potato")


def test_the_newest_xen(on_bookworm):
    assert packages.newest_xen_utils(["xen-utils-4.9", "xen-utils-4.20", "xen-utils-4.20-dbg", "xen-utils-common"]) == "xen-utils-4.20"
    with pytest.raises(NoPackage):
        packages.newest_xen_utils(["xen-utils-common"])


def test_which_xen_runs_is_in_its_own_words(tmp_path):
    (tmp_path / "share/out").mkdir(parents=True)
    (tmp_path / "share/out/ready").write_text("host : dom0\nxen_major : 4\nxen_version            : 4.20.4\n1.0 2.0\n")
    assert Host(tmp_path).xen() == "4.20.4"


def test_what_is_no_program_of_dom0_needs_no_libraries(tmp_path):
    for name, data in (("stub", b"\x7fELF\1" + bytes(64)), ("script", b"#!/bin/sh\n"), ("empty", b"")):
        (tmp_path / name).write_bytes(data)
        assert elf.libraries(tmp_path / name) == ()
