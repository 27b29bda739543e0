# SPDX-License-Identifier: LGPL-2.1-only
"""xenstored in a domain of its own that has ended: xl would wait for it for ever, so the plugin refuses before."""
import subprocess

import pytest

DYING, SHUTDOWN = 1, 4  # public domctl.h: XEN_DOMINF_


@pytest.fixture
def create(build, plugin, files, tmp_path, stock_xl):
    """create(noted, lives, *words): `xl create` of a guest of ours, without Xen; it comes as far as asking for a domain."""
    def run(noted, lives, *words, ours=True):
        note, config = tmp_path / "xenstored.pid", tmp_path / "guest.cfg"
        note.write_text(noted)
        config.write_text(f'name="g"\nkernel="{files / "bzimage"}"\nmemory=64\n' + ('builder="pvboot"\n' if ours else 'type="pvh"\n'))
        env = {"LD_PRELOAD": f"{build / 'tests/offline/xl-faked.so'}:{plugin}", "PVBOOT_STORE": str(note), "PVBOOT_LIVES": lives}
        done = subprocess.run([stock_xl, "create", *words, config], env=env, capture_output=True, text=True, timeout=60)
        return done, [line for line in done.stderr.splitlines() if "pvboot" in line]
    return run


@pytest.mark.parametrize("lives", ["0", "4", "6", f"5:{DYING}", f"5:{SHUTDOWN}"])
def test_it_has_ended(create, lives):
    done, lines = create("domid:5\n", lives)
    assert done.returncode == 1
    assert len(lines) == 1 and lines[0].startswith("pvboot: xen: ") and lines[0].endswith("domain 5, which served xenstore, has ended")


@pytest.mark.parametrize("noted, lives", [("domid:5\n", "5"), ("124\n", "0"), ("", "0"), ("domid:x\n", "0")])
def test_it_lives_or_is_no_domain(create, noted, lives):
    assert create(noted, lives)[1] == []


def test_who_asks_no_xenstore(create):
    """A dry run, and a guest that is not ours."""
    assert create("domid:5\n", "0", "-n")[0].returncode == 0
    assert create("domid:5\n", "0", ours=False)[1] == []
