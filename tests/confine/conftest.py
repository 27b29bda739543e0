# SPDX-License-Identifier: LGPL-2.1-only
import pytest


@pytest.fixture
def write(tmp_path):
    def write(data, name="vmlinuz"):
        path = tmp_path / name
        path.write_bytes(data)
        return path
    return write
