# SPDX-License-Identifier: LGPL-2.1-only
"""What GRUB's configuration writes is the node that `pvboot decode` knows, where the kernel's file points."""

import re
import struct
import subprocess

from lab.base import paths
from lab.flight import grubnode


def memory() -> bytes:
    """As the commands leave it, from the node's address on."""
    words = re.findall(r"^write_dword (0x[0-9a-f]+) (0x[0-9a-f]+)$", grubnode.commands(), re.M)
    assert [int(at, 16) for at, _ in words] == [grubnode.GPA + 4 * n for n in range(len(words))]
    return b"".join(struct.pack("<I", int(word, 16)) for _, word in words)


def test_the_node_is_whole(tmp_path):
    (tmp_path / "chain").write_bytes(memory())
    done = subprocess.run([paths.build() / "pvboot", "decode", "--check", "--base", hex(grubnode.GPA), "--setup-data",
                           tmp_path / "chain"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    fields = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if len(line.split()) > 1)
    assert (fields["filler"].split()[0], fields["status"], fields["signature"]) == ("3", "ok", "XenVMMXenVMM")


def test_the_kernels_file_points_to_it_and_is_otherwise_as_before():
    image = bytes(range(256)) * 16
    named = grubnode.kernel(image)
    assert struct.unpack_from("<Q", named, 0x250)[0] == grubnode.GPA  # boot.rst: setup_data
    assert named[:0x250] + named[0x258:] == image[:0x250] + image[0x258:]
