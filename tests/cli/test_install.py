# SPDX-License-Identifier: LGPL-2.1-only
"""make install and uninstall, and a program that only knows what was installed."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("PVBOOT_BUILD", "build")
PROGRAM = r"""
#include <pvboot/plan.h>
#include <stdio.h>

int main(void)
{
    struct pvboot_machine m;
    struct pvboot_error e = { 0 };
    int rc = pvboot_machine_default(&m, 512ull << 20, 129, &e);

    printf("%d %s\n", rc, e.text);
    return 0;
}
"""
# Not so LIBEXECDIR: programs know it, so another one builds them anew.
ELSEWHERE = ["PREFIX=/opt", "BINDIR=/opt/b", "LIBDIR=/opt/lib/x86_64-linux-gnu", "INCLUDEDIR=/headers",
             "MANDIR=/opt/m", "LIBEXECDIR=/usr/lib/pvboot"]


def make(goal, where, *directories):
    subprocess.run(["make", "-s", goal, f"BUILD={BUILD}", f"DESTDIR={where}", *directories], cwd=ROOT, check=True)


def files(where):
    return sorted(str(p.relative_to(where)) for p in where.rglob("*") if not p.is_dir())


def pkg_config(pc, *args):
    return subprocess.run(["pkg-config", *args, "pvboot"], capture_output=True, text=True, check=True,
                          env={**os.environ, "PKG_CONFIG_PATH": str(pc)}).stdout.split()


def said_by(tmp_path, flags, **env):
    (tmp_path / "a.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-o", tmp_path / "a", tmp_path / "a.c", *flags], check=True)
    return subprocess.run([tmp_path / "a"], capture_output=True, text=True, env=env).stdout


def test_library(staged, tmp_path):
    flags = pkg_config(staged / "lib/pkgconfig", f"--define-variable=prefix={staged}", "--cflags", "--libs")
    assert said_by(tmp_path, flags, LD_LIBRARY_PATH=str(staged / "lib")) == "-68 129 vCPUs: limit 128\n"


@pytest.mark.parametrize("static", [[], ["-static"]], ids=["libpvboot", "everything"])
def test_static_library(request, staged, tmp_path, static):
    """pkg-config --static names all that any part of libpvboot.a needs; those libraries themselves may be shared."""
    if static:
        request.getfixturevalue("static_libelf")
    flags = pkg_config(staged / "lib/pkgconfig", f"--define-variable=prefix={staged}", "--static", "--cflags", "--libs")
    flags.remove("-lpvboot")
    whole = ["-Wl,--whole-archive", staged / "lib/libpvboot.a", "-Wl,--no-whole-archive"]
    assert said_by(tmp_path, [*static, *whole, *flags]) == "-68 129 vCPUs: limit 128\n"


def test_modules_say_where_things_are(staged):
    """Each variable that pkg-config's users ask for; and what is only needed to link statically stays out of the rest."""
    for name in ("pvboot", *(["pvboot-xen"] if (staged / "include/pvboot/xen.h").exists() else [])):
        def said(*args):
            return subprocess.run(["pkg-config", *args, name], capture_output=True, text=True, check=True,
                                  env={**os.environ, "PKG_CONFIG_PATH": str(staged / "lib/pkgconfig")}).stdout.strip()
        assert said("--variable=libdir") == "/usr/lib" and said("--variable=includedir") == "/usr/include"
        assert said("--modversion") == said("--modversion") != ""
        assert set(said("--libs").split()) <= {"-lpvboot", "-lpvboot-xen"}
        assert "-lgcrypt" in said("--static", "--libs")


def test_command(staged, pvboot):
    version = subprocess.run([staged / "bin/pvboot", "--version"], capture_output=True, text=True)
    assert version.stdout == pvboot.ok("--version")
    assert os.access(staged / "lib/pvboot/pvboot-parse", os.X_OK)


def test_uninstall(tmp_path):
    """What install put there is gone, and nothing else; nor are directories of ours left."""
    make("install", tmp_path)
    installed = files(tmp_path)
    neighbour = tmp_path / "usr/lib/pkgconfig/other.pc"
    neighbour.touch()
    make("uninstall", tmp_path)
    assert len(installed) > 15 and files(tmp_path) == ["usr/lib/pkgconfig/other.pc"]
    assert not list(tmp_path.rglob("pvboot"))


def test_directories(tmp_path):
    """Each directory can be elsewhere; pkg-config knows, and so does uninstall."""
    make("install", tmp_path, *ELSEWHERE)
    there = files(tmp_path)
    for name in ("opt/b/pvboot", "opt/lib/x86_64-linux-gnu/libpvboot.so.0", "headers/pvboot/plan.h",
                 "opt/m/man1/pvboot.1", "usr/lib/pvboot/pvboot-parse"):
        assert name in there
    flags = pkg_config(tmp_path / "opt/lib/x86_64-linux-gnu/pkgconfig", "--cflags", "--libs")
    assert flags == ["-I/headers", "-L/opt/lib/x86_64-linux-gnu", "-lpvboot"]
    make("uninstall", tmp_path, *ELSEWHERE)
    assert files(tmp_path) == []
