# SPDX-License-Identifier: LGPL-2.1-only
"""The launcher of domains without libxl: whose kernels it looks at itself."""
import shutil
import struct
import subprocess

import pytest

from kernels import BUILD

PROGRAMS = {"pvboot-launch": "pvboot-launch", "pvboot-stub.elf": "pvboot-stub.elf", "pvboot-attack": "pvboot-parse"}
LAYERS = (1 << 9) - 1


@pytest.mark.parametrize("entry", ["linux64", "stub"])
def test_a_kernel_that_only_the_parser_takes_for_one(tmp_path, entry):
    """What it packs with the stub is not looked at again: the parser that lied of it was the only one to look."""
    if not (BUILD / "pvboot-launch").exists():
        pytest.skip("built without Xen's headers")
    for name, as_name in PROGRAMS.items():
        shutil.copy(BUILD / name, tmp_path / as_name)
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(struct.pack("<8sI32s", b"ATTACK!", LAYERS, b"any_bzimage").ljust(8192, b"\0"))
    done = subprocess.run([tmp_path / "pvboot-launch", "launch", "--dry-run", "--memory", "64", "--entry", entry, kernel], capture_output=True, text=True,
                          timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
