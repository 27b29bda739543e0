# SPDX-License-Identifier: LGPL-2.1-only
"""A guest's soft reset: stock libxl asked for it as xl asks, on the fake Xen and xenstored (reset.c)."""
import json
import os
import re
import subprocess

import pytest

REFUSED = "rc -6, 0 resets, 0 pauses"  # ERROR_INVAL, what stock libxl says of every PVH guest
DONE = "rc 0, 1 resets, 1 pauses, introduced 1"


@pytest.fixture
def reset(build, plugin, tmp_path):
    """reset(nth=0, **shim): what it says, on standard output and error."""
    def run(nth=0, preload=plugin, has=(), **shim):
        stub = str(plugin.parent / "pvboot-stub.elf")
        shim = {"pvshim": "True", "pvshim_path": stub, "pvshim_cmdline": "pvboot", "pvshim_extra": "entry=linux64", **shim}
        path = tmp_path / "config.json"
        path.write_text(json.dumps({
            "c_info": {"type": "pvh", "name": "g", "uuid": "11111111-2222-3333-4444-555555555555"},
            "b_info": {"kernel": "/k", "cmdline": "", "type.pvh": {k: v for k, v in shim.items() if v is not None}}}))
        env = {**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})}
        done = subprocess.run([build / "tests/offline/reset", path, str(nth), *has], env=env, capture_output=True,
                              text=True, timeout=60, check=True)
        assert done.stdout.endswith("breach none\n")
        return done.stdout, done.stderr
    return run


def test_stock_refuses(reset):
    assert reset(preload=None) == (reset(preload=None)[0], "")
    assert reset(preload=None)[0].startswith(REFUSED)


def test_ours_goes_on(reset):
    said, errors = reset()
    assert said.startswith(DONE) and errors == ""


@pytest.mark.parametrize("text", [b"\xff", b"caf\xe9 \xc0\x80", b"\xed\xa0\x80", "\u00e9".encode()], ids=repr)
def test_a_command_line_of_any_bytes(reset, text):
    """libxl writes them into its JSON as they are, UTF-8 or not."""
    said, errors = reset(has=[b"cmdline=" + text])
    assert said.startswith(DONE) and errors == ""
    said, errors = reset(has=[b"cmdline=" + text], pvshim_cmdline="pvbooting")
    assert said.startswith(REFUSED) and "requests 0" in said and errors == ""


@pytest.mark.parametrize("kind", ["vif", "vbd", "vtpm", "9pfs", "pci"])
def test_devices_are_refused(reset, kind):
    said, errors = reset(has=[f"{kind}/0"])
    assert said.startswith("rc -3, 0 resets, 1 pauses, introduced 1")
    assert errors == f"pvboot: unsupported: domain 7 has a device /libxl/7/device/{kind}, which no soft reset takes along\n"
    said, errors = reset(has=["console/0"])
    assert said.startswith(DONE) and errors == ""


@pytest.mark.parametrize("other", [
    {"pvshim": "False"}, {"pvshim": None}, {"pvshim_path": "/elsewhere/pvboot-stub.elf"}, {"pvshim_path": None},
    {"pvshim_cmdline": "pvbooting"}, {"pvshim_cmdline": None},
])
def test_another_domain_is_libxls(reset, other):
    """What stock refuses stays refused, and Xen is not asked for anything."""
    said, errors = reset(**other)
    assert said.startswith(REFUSED) and "requests 0" in said and errors == ""


def test_each_refusal_is_one_line(reset):
    """Then xl destroys the domain, as it does without us; no handle of ours is left."""
    requests, handles = map(int, re.search(r"requests (\d+), (\d+) handles", reset()[0]).groups())
    assert requests > 10
    for nth in range(1, requests + 1):
        said, errors = reset(nth)
        assert said.startswith("rc -3, ") and f", {handles} handles" in said, f"request {nth}: {said}"
        assert re.fullmatch(r"pvboot: xen: [^\n]*domain[^\n]*\n|pvboot: xen: xenstore: [^\n]*\n", errors), f"request {nth}: {errors}"
