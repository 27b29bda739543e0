# SPDX-License-Identifier: LGPL-2.1-only
"""What guests print, whole and in pieces."""

import base64

import pytest

from lab.guests import evidence


def console(*sections, count=None, end="\r\n"):
    lines = ["[    1.000000] Run /init as init process"]
    for name, body in sections:
        lines += [f"@@pvboot-begin {name}@@", *body, "", f"@@pvboot-end {name.split()[0]}@@"]
    lines.append(f"@@pvboot-done {len(sections) if count is None else count}@@")
    return end.join(lines) + end


def test_text_and_binary_sections():
    page = bytes(range(256)) * 16
    encoded = base64.encodebytes(page).decode().split()
    found = evidence.parse(console(("nproc", ["4"]), ("boot_params base64", encoded)))
    assert found.sections == {"nproc": b"4\n", "boot_params": page}


def test_content_without_final_newline_and_empty_lines_inside():
    found = evidence.parse(console(("dmesg", ["a", "", "b"])))
    assert found.text("dmesg") == "a\n\nb\n"


@pytest.mark.parametrize("text, complaint", [
    ("", "no end mark"),
    ("Kernel panic - not syncing: x\r\n", "no end mark; the last line is 'Kernel panic"),
    (console(("nproc", ["1"]), count=2), "1 of 2 sections"),
    (console(("boot_params base64", ["QUJD", "!"])), "section boot_params"),
    (console(("a", ["1"]), ("b", ["2"])).replace("@@pvboot-end a@@", ""), "section a is cut: b begins"),
    (console(("a", ["1"])).rpartition("@@pvboot-end")[0] + console(("a", ["1"])), "section a is cut: a begins"),
])
def test_incomplete_evidence_is_refused(text, complaint):
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(")):
        evidence.parse(text)


def test_after_a_reboot_the_last_round_counts():
    text = console(("nproc", ["1"])) + console(("nproc", ["2"]))
    assert evidence.rounds(text) == 2
    assert evidence.parse(text).text("nproc") == "2\n"
    assert evidence.parse(console(("first", [""])) + console(("second", [""]))).sections.keys() == {"second"}


def test_half_a_round_after_a_whole_one_changes_nothing():
    text = console(("nproc", ["1"])) + "@@pvboot-begin nproc@@\r\n7\r\n"
    assert evidence.rounds(text) == 1
    assert evidence.parse(text).text("nproc") == "1\n"


def test_setup_data_nodes_in_their_order():
    found = evidence.parse(console(
        ("setup_data.0.type base64", [base64.b64encode(b"0x9\n").decode()]),
        ("setup_data.0.data base64", [base64.b64encode(bytes(32)).decode()]),
        ("setup_data.10.type base64", [base64.b64encode(b"0x50595648\n").decode()]),
        ("setup_data.10.data base64", [base64.b64encode(b"abc").decode()])))
    assert found.setup_data() == {0: (9, bytes(32)), 10: (0x50595648, b"abc")}


def test_tree():
    found = evidence.parse(console(("memmap", ["0/start 0x0", "0/type System RAM", "1/start 0x100000"])))
    assert found.tree("memmap") == {"0/start": "0x0", "0/type": "System RAM", "1/start": "0x100000"}


def test_debug_port_of_one_domain_among_others():
    log = "(XEN) boot\r\n(d1) one\r\n(d12) twelve\r\n(XEN) [2026-01-01 00:00:00] (d1) two\r\n(d1) \r\n"
    assert evidence.from_xen_log(log, 1) == "one\ntwo\n\n"
    assert evidence.from_xen_log(log, 2) == ""


def test_saved_files(tmp_path):
    evidence.save(evidence.Evidence({"uname": b"Linux\n", "boot_params": b"\1", "setup_data.0.type": b"0x9\n"}), tmp_path)
    assert (tmp_path / "uname.txt").read_bytes() == b"Linux\n"
    assert (tmp_path / "boot_params.bin").read_bytes() == b"\1"
    assert (tmp_path / "setup_data" / "0.type").read_bytes() == b"0x9\n"
