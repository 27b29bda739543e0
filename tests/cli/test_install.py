# SPDX-License-Identifier: LGPL-2.1-only
"""make install, and a program that only knows what was installed."""
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


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    where = tmp_path_factory.mktemp("staged")
    subprocess.run(["make", "-s", "install", f"BUILD={BUILD}", f"DESTDIR={where}"], cwd=ROOT, check=True)
    return where / "usr"


def test_library(staged, tmp_path):
    (tmp_path / "a.c").write_text(PROGRAM)
    flags = subprocess.run(["pkg-config", f"--define-variable=prefix={staged}", "--cflags", "--libs", "pvboot"],
                           capture_output=True, text=True, check=True,
                           env={**os.environ, "PKG_CONFIG_PATH": str(staged / "lib/pkgconfig")}).stdout.split()
    subprocess.run(["gcc", "-o", tmp_path / "a", tmp_path / "a.c", *flags], check=True)
    said = subprocess.run([tmp_path / "a"], capture_output=True, text=True, env={"LD_LIBRARY_PATH": str(staged / "lib")})
    assert said.stdout == "-68 129 vCPUs: limit 128\n"


def test_command(staged, pvboot):
    version = subprocess.run([staged / "bin/pvboot", "--version"], capture_output=True, text=True)
    assert version.stdout == pvboot.ok("--version")
    assert os.access(staged / "lib/pvboot/pvboot-parse", os.X_OK)
