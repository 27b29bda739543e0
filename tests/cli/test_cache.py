# SPDX-License-Identifier: LGPL-2.1-only
"""The cache of unpacked kernels: how it is filled, looked after, and kept within its limit."""
import contextlib
import gzip
import hashlib
import importlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import tempfile
import time

import images
import pytest

ROOT = os.geteuid() == 0
TOP = pathlib.Path(__file__).resolve().parents[2]
BODY = 16384  # docs/cache.md: where an entry's ELF begins
MIB = 1 << 20


def elf(seed=1, pages=3):
    return images.elf(images.xen_notes(images.LOAD), file_bytes=pages * 4096 + 123, mem_bytes=(pages + 2) * 4096, seed=seed)


def bzimage(seed=1, pages=3):
    return images.bzimage(gzip.compress(elf(seed, pages), mtime=0), version=f"6.1.{seed}-toy")


@pytest.fixture
def boot(tmp_path):
    (tmp_path / "boot").mkdir()
    return tmp_path / "boot"


@pytest.fixture
def cache(pvboot, tmp_path):
    return Cache(pvboot, tmp_path / "cache")


def said(text):
    """The entries that --json prints, as docs/pvboot.schema.json has them."""
    seen = json.loads(text)
    with contextlib.suppress(ImportError):
        importlib.import_module("jsonschema").validate(seen, json.loads((TOP / "docs/pvboot.schema.json").read_text()))
    assert set(seen) == {"json_version", "entries"}
    return seen["entries"]


class Cache:
    def __init__(self, pvboot, where):
        self.pvboot, self.where = pvboot, where

    def __call__(self, verb, *words):
        return self.pvboot("cache", verb, "--cache", self.where, *words)

    def add(self, *words):
        done = self("add", *words)
        if "no build would look for it" in done.stderr:
            pytest.skip("this file system grants no lease")
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def list(self):
        done = self("list", "--json")
        assert done.returncode == 0, done
        return said(done.stdout)

    def verify(self, *words):
        """Exit status, what is told, the error."""
        done = self("verify", "--json", *words)
        return done.returncode, said(done.stdout), done.stderr

    def names(self):
        return sorted(p.name for p in self.where.iterdir())

    def entry(self, kernel):
        return self.where / f"{hashlib.sha256(kernel.read_bytes()).hexdigest()}.elf"


def make(path, *args):
    path.write_bytes(bzimage(*args))
    path.chmod(0o644)
    return path


def rewrite(path, change):
    data = bytearray(path.read_bytes())
    change(data)
    path.unlink()
    path.write_bytes(data)
    path.chmod(0o400)


def test_an_entry_is_what_the_tool_unpacks(cache, boot):
    kernel = make(boot / "vmlinuz")
    assert cache.add(kernel) == f"{kernel}: added\n"
    data = cache.entry(kernel).read_bytes()
    assert data[BODY:] == elf()
    only, = cache.list()
    assert only["path"] == str(kernel) and only["state"] == "fresh" and only["odd"] is None
    assert only["sha256"] == hashlib.sha256(kernel.read_bytes()).hexdigest()
    assert only["elf_sha256"] == hashlib.sha256(elf()).hexdigest()
    assert (only["elf_bytes"], only["kernel_version"]) == (len(elf()), "6.1.1-toy")
    assert "fresh" in cache("list").stdout


def test_who_may_see_it(cache, boot):
    old = os.umask(0)
    try:
        cache.add(make(boot / "vmlinuz"))
    finally:
        os.umask(old)
    assert cache.where.stat().st_mode & 0o7777 == 0o700
    for path in cache.where.iterdir():
        assert path.stat().st_mode & 0o7777 == 0o400, path


def test_twice_is_once(cache, boot):
    kernel = make(boot / "vmlinuz")
    cache.add(kernel)
    before = cache.entry(kernel).stat().st_ino
    assert cache.add(kernel) == f"{kernel}: there already\n"
    assert cache.entry(kernel).stat().st_ino == before


def test_a_directory_of_somebody_else(cache, boot):
    """Of root's, and named by mistake: what is not called as a key or an entry stays, with add and with drop."""
    cache.where.mkdir(0o700)
    others = "firmware.elf", "tunnel.key", ".elf", "x"
    for name in others:
        (cache.where / name).write_text("precious")
    cache.add(make(boot / "vmlinuz"))
    assert cache("drop", "--all").returncode == 0
    assert cache.names() == sorted([*others, "lock"])


def test_an_odd_one_is_made_anew(cache, boot):
    kernel = make(boot / "vmlinuz")
    cache.add(kernel)
    cache.entry(kernel).chmod(0o600)
    assert cache.add(kernel) == f"{kernel}: added\n"
    assert cache.verify()[0] == 0


def test_one_content_at_two_paths(cache, boot):
    first, second = make(boot / "first"), make(boot / "second")
    cache.add(first, second)
    assert {f["path"] for f in cache.list()} == {str(first), str(second)}
    assert len(list(cache.where.glob("*.elf"))) == 1
    assert cache("drop", first).returncode == 0
    only, = cache.list()
    assert only["path"] == str(second) and only["odd"] is None


def test_a_link_is_what_it_points_to(cache, boot):
    kernel = make(boot / "vmlinuz-6.1")
    (boot / "vmlinuz").symlink_to(kernel.name)
    cache.add(boot / "vmlinuz")
    assert cache.list()[0]["path"] == str(kernel)
    assert cache("drop", boot / "vmlinuz").returncode == 0 and cache.list() == []


def test_a_new_kernel_in_its_place(cache, boot):
    """The old one's entry is nobody's any more."""
    kernel = make(boot / "vmlinuz", 1)
    cache.add(kernel)
    old = cache.entry(kernel)
    make(boot / "new", 2).rename(kernel)
    assert cache.list()[0]["state"] == "stale"
    cache.add(kernel)
    assert [f["state"] for f in cache.list()] == ["fresh"] and not old.exists()
    kernel.unlink()
    assert cache.list()[0]["state"] == "gone"
    assert cache("drop", kernel).returncode == 0 and cache.names() == ["lock"]


def test_what_is_written_right_after_is_another_version(cache, boot):
    """Stamps are as coarse as a tick of the clock: who adds waits until a version is older than that."""
    kernel = make(boot / "vmlinuz")
    first, second = bzimage(1), bzimage(2)
    assert len(first) == len(second) or pytest.skip("the two differ in size, which tells them")
    kernel.write_bytes(first)
    changed = kernel.stat().st_ctime
    cache.add(kernel)
    assert time.time() - changed >= 0.2
    with open(kernel, "r+b") as f:
        f.write(second)
    assert cache.list()[0]["state"] == "stale"


# --- verify -------------------------------------------------------------------------------------------------------------

def flip(at):
    return lambda data: data.__setitem__(at, data[at] ^ 1)


def test_what_is_good(cache, boot):
    kernel, gone = make(boot / "vmlinuz", 1), make(boot / "gone", 2)
    cache.add(kernel, gone)
    gone.unlink()
    rc, told, err = cache.verify()
    assert (rc, err) == (0, "")
    assert {f["path"]: f["unpacked_again"] for f in told} == {str(kernel): True, str(gone): False}


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("at, text", [(BODY + 4096, "its ELF is not what it was"), (-1, "its ELF is not what it was"),
                                      (20, "the entry of another kernel"), (50, "its head is not what it was")])
def test_an_altered_byte(cache, boot, at, text, gone):
    kernel = make(boot / "vmlinuz")
    cache.add(kernel)
    rewrite(cache.entry(kernel), flip(at))
    if gone:
        kernel.unlink()
    rc, told, err = cache.verify()
    assert rc == 65 and text in told[0]["odd"]
    assert err.startswith(f"pvboot: malformed: {kernel}: ") and text in err and err.count("\n") == 1


def forge(data):
    """Other code, and digests that agree: what only the kernel itself gives away."""
    data[BODY + 4200] ^= 0xff
    own = struct.unpack_from("<I", data, 4)[0] - 32  # the head's last field
    data[40:72] = hashlib.sha256(data[BODY:]).digest()
    data[own:own + 32] = hashlib.sha256(data[:own]).digest()


def test_a_forged_entry(cache, boot):
    kernel = make(boot / "vmlinuz")
    cache.add(kernel)
    rewrite(cache.entry(kernel), forge)
    rc, told, err = cache.verify(kernel)
    assert rc == 65 and "its ELF is not what the kernel unpacks to" in err
    assert cache("drop", kernel).returncode == 0
    cache.add(kernel)
    assert cache.verify(kernel)[0] == 0


def test_the_others_are_told_of_too(cache, boot):
    good, bad = make(boot / "good", 1), make(boot / "bad", 2)
    cache.add(good, bad)
    cache.entry(bad).chmod(0o644)
    rc, told, err = cache.verify()
    assert rc == 65 and {f["path"]: f["state"] for f in told} == {str(good): "fresh", str(bad): "odd"}
    assert "mode 0644" in err


# --- what is not taken --------------------------------------------------------------------------------------------------

def group_writable(boot):
    kernel = make(boot / "vmlinuz")
    kernel.chmod(0o664)
    return kernel


def spoilt(boot):
    kernel = make(boot / "vmlinuz")
    kernel.write_bytes(images.bzimage(b"\x1f\x8b" + bytes(range(200)) + struct.pack("<I", 4096)))
    return kernel


def bare(boot):
    kernel = boot / "vmlinux"
    kernel.write_bytes(elf())
    return kernel


def packed_again(boot):
    kernel = boot / "vmlinuz.gz"
    kernel.write_bytes(gzip.compress(bzimage()))
    return kernel


@pytest.mark.parametrize("kernel, code, text", [
    (lambda boot: boot / "absent", 66, "open"),
    (lambda boot: boot, 66, "not a regular file"),
    (group_writable, 67, "others than root can write to it"),
    (bare, 67, "nothing to save"),
    (packed_again, 67, "nothing to save"),
    (spoilt, 65, ""),
])
def test_refused(cache, boot, kernel, code, text):
    cache.add(make(boot / "good", 7))
    done = cache("add", kernel(boot))
    assert done.returncode == code and text in done.stderr and done.stderr.count("\n") == 1
    assert len(cache.names()) == 3


@pytest.mark.skipif(not ROOT, reason="gives files away")
def test_another_users_kernel(cache, boot):
    kernel = make(boot / "vmlinuz")
    os.chown(kernel, 65534, 0)
    assert "no build would look for it" in cache("add", kernel).stderr


@pytest.mark.skipif(not ROOT, reason="becomes another user")
def test_a_kernel_of_roots(public):
    """By who may read it and no more."""
    with tempfile.TemporaryDirectory() as name:
        where = pathlib.Path(name)
        where.chmod(0o777)
        done = public("cache", "add", "--cache", where / "cache", make(where / "vmlinuz"), user=65534, group=65534,
                      extra_groups=[])
    assert (done.returncode, done.stderr.count("\n")) == (67, 1) and "another user's, or on a file system" in done.stderr


@pytest.mark.parametrize("spoil, text", [
    (lambda where: where.chmod(0o750), "others may use the directory: mode 0750"),
    (lambda where: where.chmod(0o701), "others may use the directory: mode 0701"),
    (lambda where: (where.rename(where.with_name("real")), where.symlink_to(where.with_name("real"))), "symbolic link"),
    (lambda where: (where.rmdir(), where.write_text("")), "not a directory"),
    (lambda where: os.chown(where, 65534, 0) if ROOT else where.chmod(0o770), "directory"),
])
def test_a_directory_that_is_not_ours(cache, boot, spoil, text):
    cache.where.mkdir(0o700)
    spoil(cache.where)
    for verb, words in (("add", [make(boot / "vmlinuz")]), ("list", []), ("verify", []), ("drop", ["--all"])):
        done = cache(verb, *words)
        assert done.returncode == 71 and text in done.stderr, verb


@pytest.mark.parametrize("words, text", [
    ([], "want add, list, verify or drop"), (["fill"], "not 'fill'"), (["add"], "no kernel given"), (["drop"], "which?"),
    (["drop", "--all", "/boot/x"], "which?"), (["list", "/boot/x"], "too much"), (["add", "--all", "x"], "--all"),
    (["add", "--max", "0", "x"], "--max"), (["add", "--max", "x", "x"], "--max"), (["list", "--max", "1"], "--max"),
    (["add", "--sandbox", "off", "x"], "--sandbox"),
])
def test_usage(pvboot, words, text):
    done = pvboot("cache", *words)
    assert done.returncode == 64 and text in done.stderr


def test_no_cache_is_an_empty_one(cache, boot):
    assert cache.list() == [] and cache.verify() == (0, [], "") and cache("drop", "--all").returncode == 0
    assert cache("verify", boot / "vmlinuz").returncode == 66 and cache("drop", boot / "vmlinuz").returncode == 66
    assert not cache.where.exists()


def test_everything_goes(cache, boot):
    """What cannot be read is not to stay."""
    kernel = make(boot / "vmlinuz")
    cache.add(kernel)
    (cache.where / "1-2.key").write_text("no key")
    (cache.where / "3-4.key").symlink_to("/etc/passwd")
    assert cache("drop", "--all").returncode == 0 and cache.names() == ["lock"]
    assert pathlib.Path("/etc/passwd").exists()


# --- room ---------------------------------------------------------------------------------------------------------------

def three(boot):
    """Entries of 1.6 MiB each, which do not compress to holes."""
    return [make(boot / f"vmlinuz-{seed}", seed, 400) for seed in (1, 2, 3)]


def test_what_is_used_least_makes_room(cache, boot):
    first, second, third = three(boot)
    cache.add("--max", "4", first, second)
    now = time.time()
    os.utime(cache.entry(first), (now - 100, now - 5000))
    os.utime(cache.entry(second), (now - 3000, now - 3000))
    cache.add("--max", "4", third)
    assert {f["path"] for f in cache.list()} == {str(first), str(third)}
    assert len(cache.names()) == 5


def test_what_is_there_counts_as_used(cache, boot):
    """Asked to be added again, also where reading moves no stamp any more: mounted relatime, and read before."""
    first, second, third = three(boot)
    cache.add("--max", "4", first, second)
    for kernel in first, second:
        time.sleep(1.1)  # recency is in seconds
        cache.entry(kernel).read_bytes()
    time.sleep(1.1)
    cache.add("--max", "4", first)
    cache.add("--max", "4", third)
    assert {f["path"] for f in cache.list()} == {str(first), str(third)}


def test_what_was_added_stays_whatever_the_clock_says(cache, boot):
    """Entries that were used in the future, since the clock has been set back."""
    first, second, third = three(boot)
    cache.add("--max", "4", first, second)
    later = time.time() + 10**6
    for kernel in first, second:
        os.utime(cache.entry(kernel), (later, later))
    cache.add("--max", "4", third)
    assert str(third) in {f["path"] for f in cache.list()} and len(cache.list()) == 2


def test_larger_than_the_cache(cache, boot):
    first = three(boot)[0]
    done = cache("add", "--max", "1", first)
    if done.returncode == 67:
        pytest.skip("this file system grants no lease")
    assert done.returncode == 68 and "the cache's limit is 1048576" in done.stderr and cache.names() == ["lock"]


@pytest.mark.skipif(not ROOT, reason="mounts a file system")
def test_a_full_disk(cache, boot):
    first, second = three(boot)[:2]
    cache.where.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "cache", cache.where]).returncode:
        pytest.skip("not permitted to mount")
    try:
        cache.add(first)
        before = cache.names()
        done = cache("add", second)
        assert done.returncode == 71 and "No space left" in done.stderr and cache.names() == before
        assert not (cache.where / ".new").exists() and cache.verify()[0] == 0
    finally:
        subprocess.run(["umount", cache.where], check=True)


# --- two at once, and half of one ---------------------------------------------------------------------------------------

def start(cache, *kernels):
    return subprocess.Popen([cache.pvboot.path, "cache", "add", "--cache", cache.where, *kernels],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_two_at_once(cache, boot):
    kernels = [make(boot / f"vmlinuz-{seed}", seed, 300) for seed in range(1, 5)]
    cache.add(make(boot / "first", 9))
    for _ in range(5):
        cache("drop", "--all")
        running = [start(cache, *order) for order in (kernels, kernels[::-1], kernels)]
        assert [(r.wait(60), r.stderr.read()) for r in running] == [(0, b"")] * 3
        rc, told, err = cache.verify()
        assert (rc, err) == (0, "") and {f["path"] for f in told} == set(map(str, kernels))
        assert all(f["unpacked_again"] for f in told)


def test_killed_in_the_middle(cache, boot):
    """Whenever: what is there is whole, and the next one cleans up."""
    kernels = [make(boot / f"vmlinuz-{seed}", seed, 300) for seed in range(1, 5)]
    cache.add(kernels[0])
    rng = random.Random(1)
    killed = 0
    for _ in range(40):
        running = start(cache, *rng.sample(kernels, 4))
        time.sleep(rng.random() * 0.1)
        running.send_signal(signal.SIGKILL)
        killed += running.wait() == -signal.SIGKILL
        running.stderr.close()
        rc, told, err = cache.verify()
        assert (rc, err) == (0, ""), told
        cache("drop", rng.choice(kernels))
    assert killed > 10
    (cache.where / ".new").touch()
    cache("drop", "--all")
    cache.add(*kernels)
    assert not (cache.where / ".new").exists() and len(cache.list()) == 4


# --- a kernel's package -------------------------------------------------------------------------------------------------

def run_hook(directory, program, *args, **env):
    hook = directory / "pvboot"
    directory.mkdir(exist_ok=True)
    if not hook.exists():
        hook.symlink_to(TOP / "src/frontends/cli/kernel-hook")
    return subprocess.run([hook, *args], capture_output=True, text=True,
                          env={"PATH": f"{program.parent}:/usr/bin:/bin", **env})


def test_the_hook(cache, boot, tmp_path):
    """As run-parts calls it: the version, and the image."""
    kernel = make(boot / "vmlinuz-6.1")
    cache.add(kernel)
    cache("drop", "--all")
    program = cache.pvboot.path
    done = run_hook(tmp_path / "postinst.d", program, "6.1", kernel, PVBOOT_CACHE=str(cache.where))
    assert done.returncode == 0 and [f["state"] for f in cache.list()] == ["fresh"], done
    kernel.unlink()
    done = run_hook(tmp_path / "postrm.d", program, "6.1", kernel, PVBOOT_CACHE=str(cache.where))
    assert (done.returncode, cache.list()) == (0, []), done
    done = run_hook(tmp_path / "postrm.d", program, "6.1", kernel, PVBOOT_CACHE=str(cache.where))
    assert done.returncode == 0  # nothing to forget


def test_the_hook_does_not_stop_a_kernels_installation(cache, boot, tmp_path):
    done = run_hook(tmp_path / "postinst.d", cache.pvboot.path, "6.1", boot / "absent", PVBOOT_CACHE=str(cache.where))
    assert done.returncode == 0 and "pvboot: unreadable: " in done.stderr
