# SPDX-License-Identifier: LGPL-2.1-only
"""What make says of a machine that lacks something, and what it makes of flags that its caller sets."""
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# One object of each kind: the host's, the parser's, the stub's, a test's, a fake's.
OBJECTS = ["src/startinfo/blob.o", "parse/src/sandbox/layers.o", "stub/src/startinfo/blob.o", "tests/unit/mkimage.o",
           "tests/fake/fault.o"]
DEBIAN_12 = {"CFLAGS": "-g -O2 -ffile-prefix-map=/src=. -fstack-protector-strong -Wformat -Werror=format-security",
             "CPPFLAGS": "-Wdate-time -D_FORTIFY_SOURCE=2", "LDFLAGS": "-Wl,-z,relro"}
DEBIAN_13 = {"CFLAGS": "-g -O2 -Werror=implicit-function-declaration -ffile-prefix-map=/src=. -fstack-protector-strong "
                       "-fstack-clash-protection -Wformat -Werror=format-security -fcf-protection",
             "CPPFLAGS": "-Wdate-time -D_FORTIFY_SOURCE=2", "LDFLAGS": "-Wl,-z,relro -Wl,-z,now"}
FLAGS = {
    "Debian 12": DEBIAN_12,
    "Debian 13": DEBIAN_13,
    "level 3": {"CPPFLAGS": "-D_FORTIFY_SOURCE=3"},
    "level 3, to the preprocessor": {"CFLAGS": "-O2 -Wp,-D_FORTIFY_SOURCE=3 -fPIE"},
    "no optimiser": {"CFLAGS": "-O0 -g"},
    "none": {"CFLAGS": "", "CPPFLAGS": "", "LDFLAGS": ""},
}


def make(build, *args, **env):
    ours = ("CPPFLAGS", "CFLAGS", "LDFLAGS", "CC", "WERROR", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")
    inherited = {k: v for k, v in os.environ.items() if k not in ours}
    return subprocess.run(["make", "-s", "-j2", f"BUILD={build}", *args], cwd=ROOT, capture_output=True, text=True,
                          env={**inherited, **env})


def wrapper(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


PLAIN = [*(([], name, "environment") for name in FLAGS),
         *(([], name, "command line") for name in ("Debian 13", "level 3, to the preprocessor", "none"))]
VARIANTS = [(variant.split(), name, "environment") for name in ("Debian 13", "level 3, to the preprocessor")
            for variant in ("SAN=1", "COV=1", "CC=clang", "CC=clang SAN=1 FUZZER=1")]


@pytest.mark.parametrize("variant, name, origin", PLAIN + VARIANTS,
                         ids=lambda v: v if isinstance(v, str) else " ".join(v))
def test_flags(tmp_path, variant, name, origin):
    """Without a warning, wherever the flags come from."""
    objects = [f"{tmp_path}/{o}" for o in OBJECTS]
    given = [f"{k}={v}" for k, v in FLAGS[name].items()]
    environment = FLAGS[name] if origin == "environment" else {}
    done = make(tmp_path, "WERROR=1", *variant, *([] if environment else given), *objects, **environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_werror(tmp_path):
    """A warning stops developers and CI, not a user."""
    noisy = wrapper(tmp_path / "cc", 'exec gcc "$@" -include ' + str(tmp_path / "noise.h"))
    (tmp_path / "noise.h").write_text("static int never_called(void) { return 0; }\n")
    target = f"{tmp_path}/src/startinfo/blob.o"
    assert make(tmp_path, f"CC={noisy}", "WERROR=1", target).returncode != 0
    done = make(tmp_path, f"CC={noisy}", target)
    assert done.returncode == 0 and "never_called" in done.stderr


def missing(done):
    """The lines that name something; nothing was compiled."""
    assert done.returncode != 0 and "  CC " not in done.stdout, done
    return [line for line in done.stderr.splitlines() if line.startswith("pvboot: ")]


def test_missing_module(tmp_path):
    config = wrapper(tmp_path / "config", 'case "$*" in *jansson*) exit 1 ;; *) exec pkg-config "$@" ;; esac')
    done = make(tmp_path / "build", f"PKG_CONFIG={config}", "all")
    assert missing(done) == ["pvboot: host resource: missing libjansson (Debian: libjansson-dev)"]


def test_missing_headers(tmp_path):
    """A compiler that finds no headers: each package is named once, by one run."""
    done = make(tmp_path / "build", "CC=gcc -nostdinc", "LZO=y", "all")
    named = missing(done)
    assert len(named) == 12 and len(set(named)) == 12
    assert "pvboot: host resource: missing libbz2 (Debian: libbz2-dev)" in named
    assert "pvboot: host resource: missing liblzo2 (Debian: liblzo2-dev)" in named


@pytest.mark.parametrize("lacking, line", [("CC=no-gcc", "missing no-gcc (Debian: gcc)"),
                                           ("CC=no-clang", "missing no-clang (Debian: clang)"),
                                           ("PKG_CONFIG=no-config", "missing no-config (Debian: pkg-config)")])
def test_missing_tool(tmp_path, lacking, line):
    done = make(tmp_path / "build", lacking, "HAVE_XEN=n", "all")
    assert missing(done) == [f"pvboot: host resource: {line}"]
    assert len(done.stderr.splitlines()) <= 2  # the other is make's own
