# SPDX-License-Identifier: LGPL-2.1-only
"""When the confinement holds in dom0 as it does where it was built."""

import pytest

from lab.campaigns import confine
from lab.campaigns.confine import Verdicts

HERE = Verdicts(3, (), ())


def test_lines_of_tap():
    said = "1..4\nok 1 - a\nnot ok 2 - b: OPEN\nnot ok 3 - c # SKIP no root\nok 4 - d\n# ok - tests\nokay\n"
    assert confine.parse(said) == Verdicts(2, ("not ok 2 - b: OPEN",), ("not ok 3 - c # SKIP no root",))


@pytest.mark.parametrize("rc, there, wrong", [
    (0, Verdicts(3, (), ()), ""),
    (0, Verdicts(2, (), ("ok 3 # SKIP",)), ""),
    (0, Verdicts(2, ("not ok 1 - a: OPEN",), ()), "1 failed: not ok 1 - a: OPEN"),
    (139, Verdicts(3, (), ()), "exit 139"),
    (0, Verdicts(2, (), ()), "2 judged and 0 skipped, 3 and 0 where it was built"),
    (0, Verdicts(0, (), ("ok 1 # SKIP",) * 3), "0 judged and 3 skipped, 3 and 0 where it was built"),
])
def test_verdict(rc, there, wrong):
    assert confine.judge(HERE, rc, there) == wrong
