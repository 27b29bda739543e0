# SPDX-License-Identifier: LGPL-2.1-only
"""What counts as left behind."""

import pytest

from lab.judges import leaks

SNAPSHOT = """\
@heap
(XEN) 'H' pressed -> dumping heap info (now = 88803878559)
(XEN) heap[node=0][zone=13] -> 1000 pages
(XEN) heap[node=0][zone=20] -> 384 pages
@domains
Name                                        ID   Mem VCPUs\tState\tTime(s)
Domain-0                                     0  1536     2     r-----      53.4
@claims
outstanding_claims     : 0
@xenstore
/tool = ""   (n0)
/local/domain/0/name = "Domain-0"   (n0)
"""


def test_same_is_clean():
    assert leaks.compare(leaks.parse(SNAPSHOT), leaks.parse(SNAPSHOT.replace("53.4", "99.9"))) == []


@pytest.mark.parametrize("change, found", [
    (("-> 384", "-> 383"), "free memory changed by -1 pages"),
    (("-> 1000", "-> 1002"), "free memory changed by +2 pages"),
    (("claims     : 0", "claims     : 7"), "outstanding claims: 0 MiB before, 7 after"),
    (("@claims", "(null)    3    0     1     --p--d       1.0\n@claims"), "domain left behind: (null)"),
    (("@xenstore\n", '@xenstore\n/vm/x = ""   (n0)\n'), 'xenstore: new: /vm/x = ""   (n0)'),
    (('/tool = ""   (n0)\n', ""), 'xenstore: gone: /tool = ""   (n0)'),
])
def test_each_kind_of_leak(change, found):
    assert leaks.compare(leaks.parse(SNAPSHOT), leaks.parse(SNAPSHOT.replace(*change))) == [found]


def test_a_log_without_heap_dump_is_no_empty_heap():
    with pytest.raises(ValueError, match="heap dump"):
        leaks.parse(SNAPSHOT.replace("heap[", "hip["))


@pytest.mark.parametrize("found, growth", [
    (["free memory changed by -1 pages"], True),
    (["free memory changed by -5 pages"], False),
    (["free memory changed by +1 pages"], False),
    (["free memory changed by -1 pages", "domain left behind: x"], False),
    (["domain left behind: x"], False),
    ([], False),
])
def test_what_a_second_try_may_clear_up(found, growth):
    assert leaks.may_be_growth(found) is growth
