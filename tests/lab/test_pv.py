# SPDX-License-Identifier: LGPL-2.1-only
"""PV guests of launch: GRUB, and what may differ of a Linux alone there."""
import pytest

from lab.campaigns import grub
from lab.campaigns.launch import EVERY, GRUB, PV, SHORT, Guest, command
from lab.judges import launched
from lab.judges.launched import OURS, Line


@pytest.mark.parametrize("rc, out, err, wrong", [
    (0, f"\x1b[2J{grub.SAYS}\r\n", "", ""),
    (0, "GRUB", "", "GRUB says nothing"),
    (3, grub.SAYS, "pvboot: xen: no", "exit 3: pvboot: xen: no"),
])
def test_what_grub_says(rc, out, err, wrong):
    assert grub.judge(rc, out, err) == wrong


@pytest.mark.parametrize("text", ["zero page: 218 000000049c1a2a00", "hypervisor: start_flags/unknown04 1"])
def test_what_differs_of_pv_guests_alone(text):
    line = Line(OURS, text)
    assert launched.unexplained([line], False, PV) == []
    assert launched.unexplained([line], False, "linux64") == [line]


def test_each_pv_guest_is_asked_for_as_one():
    at = {"seeing": "/ramdisk", GRUB: "/grub", "6.1": "/k61", "6.12": "/k612", "6.1-cloud": "/cloud"}
    guests = [guest for guest in EVERY if guest.entry == PV]
    assert len(guests) == 13 and Guest(PV, 1, GRUB) in SHORT
    assert all("--entry pv" in command(guest, at) for guest in guests)
    assert command(Guest(PV, 1, GRUB), at).endswith("--console --wait /grub")
