# SPDX-License-Identifier: LGPL-2.1-only
"""What dom0 says of itself, and what of it differs."""

import pytest

from lab.campaigns import census

MORE = "0 0 0 0 0 0 0 0 0 0 20 0 1 0"  # tty to itrealvalue


def stat(pid, name, state="S", parent=1, session=0, memory=4096000, rss=100):
    return f"{pid} ({name}) {state} {parent} {pid} {session or pid} {MORE} 0 700 {memory} {rss} 18446744073709551615"


def said(*more_stat, descriptors="", xen="ports 30", xenstore="", files=""):
    return "\n".join([
        "@self", "900", "@stat", stat(1, "init", rss=200), stat(2, "kthreadd", memory=0, rss=0), stat(124, "xenstored"),
        stat(130, "xenconsoled"), stat(901, "cat", session=900), *more_stat,
        "@descriptors", "/proc/124/fd:", "total 0", "lrwx------ 1 root 64 Jan 1 00:00 3 -> socket:[1]",
        "lrwx------ 1 root 64 Jan 1 00:00 4 -> /dev/xen/evtchn", descriptors,
        "@xen", "free_pages 1000", "claimed_pages 0", "domain 0 390000", xen,
        "@xenstore", '/tool = ""   (n0)', xenstore,
        "@files", "/run/xen", "/run/job-1-2-3", files, "@end", ""])


REST = census.parse(said())


def test_census():
    assert (REST.free_pages, REST.ports, REST.memfds, REST.domains) == (1000, 30, 0, ("0 390000",))
    assert REST.processes == ("init", "xenconsoled", "xenstored")  # neither the kernel's nor its own
    assert REST.descriptors == {"xenstored": 2, "xenconsoled": 0, "xl": 0}
    assert REST.rss_kib["xenstored"] == 400 and REST.files == ("/run/xen",)


@pytest.mark.parametrize("more, found", [
    ({"xen": "ports 31"}, "event channels: 30 before, 31 after"),
    ({"xen": "ports 30\ndomain 7 paused 32768"}, "domains: new: 7 paused 32768"),
    ({"xenstore": '/vm/x = ""   (n0)'}, 'xenstore nodes: new: /vm/x = ""   (n0)'),
    ({"files": "/tmp/x"}, "files: new: /tmp/x"),
    ({"descriptors": "l 5 -> /tmp/x (deleted)"}, "descriptors of xenstored: 2 before, 3 after"),
])
def test_each_kind_of_difference(more, found):
    assert census.compare(REST, census.parse(said(**more))) == [found]
    gone = census.compare(census.parse(said(**more)), REST)
    assert len(gone) == 1 and gone != [found]


def test_a_process():
    assert census.compare(REST, census.parse(said(stat(300, "xl")))) == ["processes: new: xl"]


def test_a_dead_child_of_a_living_process_counts_one_of_init_does_not():
    dead = said(stat(300, "xl"), stat(301, "pvboot-parse", "Z", 300, memory=0, rss=0), stat(302, "xl", "Z", 1, memory=0))
    assert census.compare(REST, census.parse(dead)) == ["processes: new: pvboot-parse (dead)", "processes: new: xl"]


def test_memory_that_a_process_keeps_open():
    found = census.parse(said(stat(300, "xl"), descriptors="/proc/300/fd:\nl 9 -> /memfd:pvboot-kernel (deleted)"))
    assert (found.memfds, found.descriptors["xl"]) == (1, 1)
    assert "memfds: 0 before, 1 after" in census.compare(REST, found)


@pytest.mark.parametrize("line, alarm", [
    ("(XEN) [   12.3] Xen BUG at domain.c:100", True),
    ("(XEN) Xen WARN at p2m-pod.c:7", True),
    ("(XEN) general protection fault: 0000", True),
    ("[    3.1] BUG: unable to handle page fault", True),
    ("(XEN) d7v0 WARNING: hello from a guest", False),
    ("(XEN) (d7) BUG: a guest's own", False),
    ("(XEN) Debugging connection not set up, DEBUG", False),
])
def test_alarms_in_the_log(line, alarm):
    assert census.warnings(f"(XEN) quiet\n{line}\n") == [line] * alarm
