# SPDX-License-Identifier: LGPL-2.1-only
"""Inputs as people have them, through the program and its confined parser."""
import struct


def write(tmp_path, data, name="kernel"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_notes_in_the_wild(pvboot, tmp_path):
    import images
    for name, data, starts in images.wild_elves():
        done = pvboot("plan", "--entry", "pvh", write(tmp_path, data))
        assert (done.returncode == 0) == starts, (name, done.stderr)
        assert starts or done.stderr.count("\n") == 1, (name, done.stderr)


def test_sixteen_bits_alone(pvboot, tmp_path):
    """iPXE's .lkrn: protocol 2.07, no code32_start, no payload."""
    import images
    data = bytearray(images.bzimage(protocol=0x207))
    struct.pack_into("<I", data, 0x214, 0)
    path = write(tmp_path, data)
    entries = pvboot.json("inspect", path)["entries"]
    assert not any(entry["ok"] for entry in entries.values())
    assert "code32_start is 0" in entries["linux32"]["why"]
    for entry in "auto", "linux32":
        done = pvboot("plan", "--entry", entry, path)
        assert (done.returncode, done.stderr.count("\n")) == (67, 1), done.stderr
