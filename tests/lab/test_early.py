# SPDX-License-Identifier: LGPL-2.1-only
"""What a Linux with the patches of linux/ says, judged."""
import struct

import pytest

from lab.campaigns import linux
from lab.guests.evidence import Evidence
from lab.judges import early, handover

TICKS = {"unz": 10_000_000, "know": 500_000_000, "pre": 500_001_000, "post": 510_000_000, "ask": 600_000_000}
WANTED = early.Wanted(1, "Xen HVM")
PAGE = bytes(4096)


def port(**changed):
    return "".join(f"XenV {place} {tsc:016x}\n" for place, tsc in {**TICKS, **changed}.items() if tsc is not None)


def lines(known=100_000_000, pre=99_999_000, post=90_000_000, filler="toolstack (1)", data=0x102058):
    return [f"XenVMMXenVMM, boot_params filled by {filler}, data at {data:#x}",
            f"known {known} TSC cycles before CPUID was asked, which says Xen HVM", f"hooks ran {pre} and {post} cycles before"]


def guest(said, page=PAGE, more=()):
    dmesg = "".join(f"[    0.000000] {line}\n" for line in [*(f"early hypervisor: {line}" for line in said), *more])
    node = bytes(40) + struct.pack("<Q", 0x102058) + bytes(16)
    return Evidence({"dmesg": dmesg.encode(), "boot_params": page, "setup_data.0.type": f"{handover.NODE:#x}".encode(),
                     "setup_data.0.data": node})


@pytest.mark.parametrize("said, marks, wrong", [
    (lines(), port(), []),
    (lines()[:1], port(), ["dmesg: ["]),
    ([], "", ["dmesg: []"]),
    (lines(filler="stub (2)"), port(), ["filler: 'stub'", "its number: 2"]),
    (lines(data=0x103000), port(), ["data: 1060864, not 1056856"]),
    (lines(), "", ["marks: ()"]),
    (lines(), port(pre=None), ["marks: ('unz', 'know', 'post', 'ask')"]),
    (lines(), port(unz=600_000_001), ["marks: not in order"]),
    (lines(known=90_000_000), port(), ["know: 90000000 cycles, by the marks 100000000"]),
    (lines(), port(know=1), ["marks: not in order"]),
])
def test_judge(said, marks, wrong):
    found = early.judge(guest(said), marks, WANTED)
    assert len(found) == len(wrong) and all(line.startswith(start) for line, start in zip(found, wrong)), found


def test_without():
    assert early.without(guest([]), "") == []
    assert len(early.without(guest(lines()), port())) == 2


@pytest.mark.parametrize("said, marks, count", [
    (["SETUP_HYPERVISOR ignored: bad length"], "", 0),
    (["SETUP_HYPERVISOR ignored: bad checksum"], "", 1),
    (["SETUP_HYPERVISOR ignored: bad length"] * 2, "", 1),
    ([], "", 1),
    (["SETUP_HYPERVISOR ignored: bad length"], port(), 1),
])
def test_ignored(said, marks, count):
    assert len(early.ignored(guest(said), marks, "bad length")) == count


def test_differing():
    def change(at):
        return PAGE[:at] + b"x" + PAGE[at + 1:]
    assert early.differing(guest([], more=["Linux version 6 a", "b 1"]), guest([], more=["Linux version 6 c", "b 2"])) == []
    assert early.differing(guest([], more=["b"]), guest([], more=["c"])) == ["dmesg: - b", "dmesg: + c"]
    assert early.differing(guest([]), guest([], page=change(0x200))) == []
    assert early.differing(guest([]), guest([], page=change(0x1f0))) == ["boot_params: before the header"]
    assert early.differing(guest([]), guest([], page=change(0x290))) == ["boot_params: after it"]


def test_the_nodes_are_what_they_say():
    """By the judge of what guests read back: the good ones are, each of the others is not."""
    assert {row.name for row in linux.BARE if row.node and not handover.head(row.node[16:], "grub")} \
        == {"a good node", "a node above 4 GiB"}
