# SPDX-License-Identifier: LGPL-2.1-only
import pathlib
import shutil
import tempfile

import pytest

from kernels import BUILD


@pytest.fixture(scope="module")
def installed():
    """A directory with the programs in it that any user may look into, unlike the one they were built in, perhaps."""
    with tempfile.TemporaryDirectory() as name:
        where = pathlib.Path(name)
        where.chmod(0o755)
        for program in "pvboot", "pvboot-parse", "pvboot-read":
            if (BUILD / program).exists():
                shutil.copy(BUILD / program, where)
        yield where


@pytest.fixture
def write(tmp_path):
    def write(data, name="vmlinuz"):
        path = tmp_path / name
        path.write_bytes(data)
        return path
    return write
