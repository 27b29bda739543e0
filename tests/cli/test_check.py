# SPDX-License-Identifier: LGPL-2.1-only
"""pvboot check, and --config of plan and dump: an xl.cfg without Xen."""
import json
import pathlib
import re
import subprocess

import pytest


@pytest.fixture(autouse=True)
def libxlutil(pvboot):
    if not list(pathlib.Path("/usr/lib").glob("*/libxlutil.so.4.*")):
        pytest.skip("no libxlutil here")
    if "built without" in pvboot("check", "/nonexistent").stderr:
        pytest.skip("built without Xen headers")


@pytest.fixture
def config(tmp_path, kernel, ramdisk):
    """config(lines, ...) is a file; K and R in them are a kernel and a ramdisk."""
    def make(*lines, name="guest.cfg"):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines).replace('"K"', f'"{kernel}"').replace('"R"', f'"{ramdisk}"'))
        return path
    return make


OURS = 'builder="pvboot"', 'kernel="K"'


def verdict(done, path):
    """The first line, without the file's name."""
    assert done.stderr == "", done.stderr
    line = done.stdout.splitlines()[0]
    assert line.startswith(str(path))
    return line[len(str(path)):]


@pytest.mark.parametrize("lines, says", [
    ([], ": ok: linux64, 32 MiB, 1 vCPU"),
    (["memory=256", "maxmem=512", "vcpus=1", "maxvcpus=4", 'pvboot_entry="linux32"'], ": ok: linux32, 512 MiB, 4 vCPUs"),
    (['ramdisk="R"', 'pvboot_ramdisks=["R", "R"]', "memory=64"], ": ok: linux64, 64 MiB, 1 vCPU"),
    (['pvboot_entry="stub"'], ": ok: the stub starts the kernel inside the guest, so the kernel has not been looked at"),
    (['bootloader="pygrub"'], ": ok: a bootloader finds the kernel, so the kernel has not been looked at"),
])
def test_what_would_be_built(pvboot, config, lines, says):
    path = config(*OURS, *lines)
    done = pvboot("check", path)
    assert (done.returncode, verdict(done, path)) == (0, says)


@pytest.mark.parametrize("code, lines, says", [
    (64, ['pvboot_entri="pvh"'], ":3: usage: pvboot_entri: unknown key 'entri': did you mean 'entry'?"),
    (64, ["", "memory='x'"], ":4: usage: memory 'x' is not a number from 0 to "),
    (64, ["memory=0"], ":3: usage: .*vmlinuz: a guest without memory"),
    (64, ["memory=64", "vcpus=0"], ":4: usage: .*vmlinuz: a guest without a vCPU"),
    (69, ["maxmem=16", "memory=8"], ":3: nofit: .*vmlinuz: kernel window"),
    (64, ["x = ["], ":3: usage: config parsing error near "),
    (64, ['pvboot_entry="stub"', 'pvboot_ramdisks="R"'], ":4: usage: pvboot_ramdisks contradicts "),
    (64, ['type="hvm"'], ':3: usage: type="hvm" contradicts '),
    (66, ['kernel="/x/absent"'], ":3: unreadable: /x/absent: open: No such file"),
    (66, ['ramdisk="/x/absent"', "memory=64"], ":3: unreadable: /x/absent: open: No such file"),
    (66, ['ramdisk="R"', 'pvboot_ramdisks="/x/absent"'], ":4: unreadable: /x/absent: open: No such file"),
    (67, ['kernel="R"'], ":3: unsupported: .*initrd: "),
    (67, ['pvboot_entry="pv"'], ':3: unsupported: pvboot_entry="pv": libxl makes a PVH domain for pvboot; pvboot launch '),
    (67, ["vnuma=[['pnode=0']]"], ":3: unsupported: vnuma: "),
    (67, ['pvboot_entry="stub"', "vnuma=[['pnode=0']]"], ":4: unsupported: vnuma: "),
    (68, ["memory=64", f'cmdline="{"x" * 2048}"'], ":4: limit: .*vmlinuz: command line is 2048 bytes"),
    (68, ["vcpus=129"], ":3: limit: .*vmlinuz: 129 vCPUs"),
    (69, ["vcpus=2", "memory=16"], ":4: nofit: .*vmlinuz: kernel window"),
])
def test_what_would_be_refused(pvboot, config, code, lines, says):
    """By the last statement of a key, which is the one that counts."""
    path = config(*OURS, *lines)
    done = pvboot("check", path)
    assert done.returncode == code and re.match(says, verdict(done, path)), done.stdout
    assert done.stdout.count("\n") == 1


def test_says_what_the_plugin_says(pvboot, config, tmp_path):
    """The same sentence, for the same function has found it; xl is where this machine has one."""
    xl = sorted(pathlib.Path("/usr/lib").glob("xen-*/bin/xl"))
    plugin, faked = pvboot.path.parent / "pvboot-xl.so", pvboot.path.parent / "tests/offline/xl-faked.so"
    if not xl or not plugin.exists() or not faked.exists():
        pytest.skip("no stock xl, or no fake Xen for it (make offline)")
    for lines in (["memory=16"], ['kernel="/x/absent"'], ['ramdisk="/x/absent"'], ['pvboot_entri=1'], ["vcpus=129"]):
        path = config('name="g"', *OURS, *lines)
        xls = subprocess.run([xl[-1], "create", "-n", path], env={"LD_PRELOAD": f"{faked}:{plugin}"}, capture_output=True, text=True)
        own = json.loads(pvboot("check", "--json", path).stdout)["files"][0]
        said = next(line for line in xls.stderr.splitlines() if line.startswith("pvboot: "))
        assert said.startswith(f"pvboot: {own['verdict']}: ") and said.endswith(own["text"]) and xls.returncode, said


def test_keys_that_nobody_reads(pvboot, config):
    path = config('type="pvh"', 'kernel="/x"', 'pvboot_entry="pvh"', "# pvboot_x=1", "pvboot_colour=1")
    done = pvboot("check", path)
    assert done.returncode == 0 and done.stdout.splitlines() == [
        f"{path}: ok: not ours: stock xl builds it, and nothing has been looked at",
        f'{path}:3: warning: pvboot_entry: without builder="pvboot" nobody reads it',
        f'{path}:5: warning: pvboot_colour: without builder="pvboot" nobody reads it']


def test_several_files(pvboot, config):
    """A line each, and the class of the first that is refused."""
    paths = [config(*OURS, name="a"), config(*OURS, "memory=16", name="b"), config(*OURS, "pvboot_x=1", name="c")]
    done = pvboot("check", *paths, "/x/absent")
    assert done.returncode == 69 and done.stderr == ""
    assert [line.split(": ")[1] for line in done.stdout.splitlines() if ": note: " not in line] == ["ok", "nofit", "usage", "unreadable"]
    seen = json.loads(pvboot("check", "--json", *paths).stdout)["files"]
    assert [(f["file"], f["verdict"], f["exit"], f["line"]) for f in seen] == [
        (str(paths[0]), "ok", 0, None), (str(paths[1]), "nofit", 69, 3), (str(paths[2]), "usage", 64, 3)]


def test_no_line_from_outside_reaches_the_terminal(pvboot, config):
    path = config('builder="pvboot"', 'kernel="/x\x1b[2J"', name="evil\x1b.cfg")
    done = pvboot("check", path)
    assert "\x1b" not in done.stdout and r"evil\x1b.cfg:2: unreadable: /x\x1b[2J: " in done.stdout


def test_plan_and_dump_of_a_config(pvboot, config, kernel, ramdisk, tmp_path):
    path = config(*OURS, "memory=300", "vcpus=2", 'ramdisk="R"', 'root="/dev/xvda"', 'extra="quiet"', 'pvboot_entry="linux32"')
    options = ["--memory", 300, "--vcpus", 2, "--ramdisk", ramdisk, "--cmdline", "root=/dev/xvda quiet", "--entry", "linux32"]
    assert pvboot.ok("plan", "--config", path) == pvboot.ok("plan", *options, kernel)
    assert pvboot.ok("plan", "--memory", 200, "--config", path) == pvboot.ok("plan", *options, "--memory", 200, kernel)
    pvboot.ok("dump", "--config", path, "-o", tmp_path / "a")
    pvboot.ok("dump", *options, "-o", tmp_path / "b", kernel)
    for part in (tmp_path / "a").iterdir():
        assert part.read_bytes() == (tmp_path / "b" / part.name).read_bytes(), part


@pytest.mark.parametrize("lines, options, says", [
    (['type="pvh"', 'kernel="K"'], [], r'usage: .*guest\.cfg: no builder="pvboot": stock xl builds this guest'),
    (['builder="pvboot"'], [], "usage: no image given"),
    ([*OURS, "pvboot_x=1"], [], r"usage: .*guest\.cfg: line 3: pvboot_x: unknown key"),
    ([*OURS], ["--config", "/x/absent"], "unreadable: /x/absent: "),
])
def test_config_refused(pvboot, config, lines, options, says):
    done = pvboot("plan", "--config", config(*lines), *options)
    assert done.returncode and done.stdout == "" and re.match(f"pvboot: {says}", done.stderr), done.stderr


def test_without_libxlutil(pvboot, config, tmp_path):
    """bwrap-less: an empty directory in front does not hide a library, a name that is not one does."""
    lines = subprocess.run(["strings", "-n", "14", pvboot.path], capture_output=True, text=True).stdout
    assert "libxlutil.so.4.%u" in lines
    hidden = tmp_path / "pvboot"
    hidden.write_bytes(pvboot.path.read_bytes().replace(b"libxlutil.so.4.%u", b"libxlutXX.so.4.%u"))
    hidden.chmod(0o755)
    done = subprocess.run([hidden, "plan", "--config", config(*OURS)], capture_output=True, text=True)
    assert done.returncode == 71 and re.match(r"pvboot: host: .*guest\.cfg: xl's own library reads ", done.stderr), done.stderr
