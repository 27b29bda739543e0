# SPDX-License-Identifier: LGPL-2.1-only
"""pvboot-xl: what it changes below a root, and that it leaves alone what others put there."""
import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "src/frontends/xl/pvboot-xl.in"
LINK, DROP_IN = "usr/local/sbin/xl", "etc/systemd/system/xendomains.service.d/pvboot.conf"
WRAPPER, PLUGIN = "/usr/lib/pvboot/bin/xl", "/usr/lib/pvboot/pvboot-xl.so"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "a root"
    for name in (WRAPPER, PLUGIN):
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return root


@pytest.fixture
def switch(tmp_path, root):
    script = tmp_path / "pvboot-xl"
    script.write_text(SOURCE.read_text().replace("@LIBEXECDIR@", "/usr/lib/pvboot"))
    script.chmod(0o755)

    def run(*words):
        return subprocess.run([script, "--root", root, *words], capture_output=True, text=True)
    return run


def tree(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir() or p.is_symlink())


def test_enabled_and_disabled_nothing_is_left(switch, root):
    before = tree(root)
    assert switch("status").returncode == 1
    for _ in range(2):
        done = switch("enable")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert os.readlink(root / LINK) == WRAPPER
    assert f"Environment=LD_PRELOAD={PLUGIN}\n" in (root / DROP_IN).read_text()
    assert tree(root) == sorted([*before, LINK, DROP_IN])
    done = switch("status")
    assert done.returncode == 0 and done.stdout.count("pvboot's") == 2
    for _ in range(2):
        assert switch("disable").returncode == 0
    assert tree(root) == before and not (root / DROP_IN).parent.exists()


@pytest.mark.parametrize("other", ["file", "link", "dangling"])
def test_another_xl_is_left_alone(switch, root, other):
    link = root / LINK
    link.parent.mkdir(parents=True)
    if other == "file":
        link.write_text("stock")
    else:
        link.symlink_to("/bin/sh" if other == "link" else "/nowhere")
    before = link.lstat().st_ino
    done = switch("enable")
    assert done.returncode == 67 and done.stdout == "" and done.stderr.count("\n") == 1
    assert "is another xl: put /usr/lib/pvboot/bin in front of PATH" in done.stderr
    assert switch("status").returncode == 1 and "another xl" in switch("status").stdout
    assert switch("disable").returncode == 0
    assert link.lstat().st_ino == before and not (root / DROP_IN).exists()


def test_other_drop_ins_stay(switch, root):
    theirs = (root / DROP_IN).with_name("theirs.conf")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("[Service]\n")
    assert switch("enable").returncode == switch("disable").returncode == 0
    assert tree(root / "etc") == [str(theirs.relative_to(root / "etc"))]


def test_without_pvboots_files_nothing_is_changed(switch, root):
    (root / PLUGIN.lstrip("/")).unlink()
    before = tree(root)
    done = switch("enable")
    assert done.returncode == 71 and done.stderr == f"pvboot-xl: host resource: {root}{PLUGIN} is missing\n"
    assert tree(root) == before


@pytest.mark.parametrize("words", [(), ("on",), ("enable", "now"), ("--root",)])
def test_usage(switch, words):
    done = switch(*words)
    assert done.returncode == 64 and done.stderr == "pvboot-xl: usage: pvboot-xl [--root DIR] enable|disable|status\n"
