# SPDX-License-Identifier: LGPL-2.1-only
"""What a build has to come to whose file never answers."""

import pytest

from lab.campaigns import stalls

LINE = f"pvboot: unreadable: {stalls.FILE}: stalls: 0 bytes in 30000 ms, limit 8388608"
SAID = f"Parsing config\n{LINE}\nlibxl: error: nothing built\n"


@pytest.mark.parametrize("ours, rc, said, left, wrong", [
    (True, 3, SAID, [], ""),
    (True, 3, SAID, ["processes: new: pvboot-read"], "left behind: processes: new: pvboot-read"),
    (True, 3, "libxl: error: nothing built\n", [], "no line says that it stalls"),
    (True, 3, SAID + SAID, [], "no line says that it stalls"),
    (True, 3, SAID.replace("file: stalls", "other: stalls"), [], "no line says that it stalls"),
    (True, 0, SAID, [], "exit 0"),
    (True, 143, SAID, [], "exit 143"),
    (False, 143, "", [], ""),
    (False, 3, "", [], "stock xl did not wait: exit 3"),
    (False, 143, "", ["domains: new: 7 paused 100"], "left behind: domains: new: 7 paused 100"),
])
def test_judge(ours, rc, said, left, wrong):
    assert stalls.judge(ours, rc, said, left) == wrong
