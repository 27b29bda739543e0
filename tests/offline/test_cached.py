# SPDX-License-Identifier: LGPL-2.1-only
"""A build of a kernel that is in the cache: the same guest, by no helper; and whatever is odd there, the usual way."""
import gzip
import hashlib
import json
import os
import shutil
import struct
import subprocess

import images
import pytest
from test_build import check_nothing_left, same

BODY = 16384          # docs/cache.md: where an entry's ELF begins
NOTE = "pvboot: note: nothing from the cache: "
HELPER = "pvboot-parse"
ROOT = os.geteuid() == 0


@pytest.fixture
def kernel(tmp_path):
    """A file of ours that nobody else can write, on a file system that grants a lease."""
    path = tmp_path / "boot" / "vmlinuz"
    path.parent.mkdir()
    path.write_bytes(images.bzimage())
    path.chmod(0o644)
    return path


class Cache:
    def __init__(self, build, where):
        self.build, self.where = build, where

    def add(self, *kernels):
        done = subprocess.run([self.build / "pvboot", "cache", "add", "--cache", self.where, *kernels], capture_output=True,
                              text=True, timeout=60)
        if "no build would look for it" in done.stderr:
            pytest.skip("this file system grants no lease")
        assert done.returncode == 0, done.stderr

    @property
    def entry(self):
        path, = self.where.glob("*.elf")
        return path

    @property
    def key(self):
        path, = self.where.glob("*.key")
        return path


@pytest.fixture
def cache(build, tmp_path):
    return Cache(build, tmp_path / "cache")


@pytest.fixture
def helpless(plugin, tmp_path):
    """The plugin with a confined parser that fails: who builds a guest all the same has not started it."""
    where = tmp_path / "helpless"
    shutil.copytree(plugin.parent, where)
    shutil.copy("/bin/false", where / HELPER)
    return where / plugin.name


@pytest.fixture
def guest(domain, kernel, cache, plugin, tmp_path):
    def make(entry="pvh", preload=plugin, extra="", where=None, **options):
        return domain(preload=preload, shim=preload.parent / "pvboot-stub.elf", kernel=kernel, cmdline="quiet", mib=64,
                      carrier=f"pvboot entry={entry} rng_seed=0 cache={where or cache.where}{extra}", **options)
    return make


def notes(d):
    return [line for line in d.err.splitlines() if line.startswith(NOTE)]


def content_of(d):
    assert d.built, d.err
    return d.content()


@pytest.mark.parametrize("entry", ["pvh", "vmlinux64", "auto"])
@pytest.mark.parametrize("extra", ["", " digests=1"])
def test_the_same_guest_by_no_helper(guest, cache, kernel, helpless, entry, extra):
    plain = content_of(guest(entry, extra=extra))
    cache.add(kernel)
    d = guest(entry, extra=extra, preload=helpless)
    found = content_of(d)
    assert notes(d) == []
    assert found.keys() == plain.keys()
    for gpa, page in plain.items():
        same(found[gpa], page, f"page {gpa:#x}")
    check_nothing_left(d)


def test_without_it_the_helper_is_needed(guest, helpless):
    """What the test above rests on."""
    assert guest(preload=helpless).refusal.startswith("pvboot: sandbox: ")


def test_what_the_guest_is_told_is_the_digest_of_the_packed_file(guest, cache, kernel, helpless):
    cache.add(kernel)
    d = guest("vmlinux64", extra=" digests=1", preload=helpless)
    content = b"".join(page for _, page in sorted(content_of(d).items()))
    assert hashlib.sha256(kernel.read_bytes()).digest() in content


def test_the_digest_is_the_one_that_the_entry_was_found_by(guest, cache, kernel, helpless):
    """It tells what was unpacked, and nothing is hashed for it: so it shows where an entry says another one."""
    cache.add(kernel)
    old, new = hashlib.sha256(kernel.read_bytes()).digest(), hashlib.sha256(b"another").digest()
    rewrite(cache.key, lambda data: data.__setitem__(slice(80, 112), new))
    rewrite(cache.entry, lambda data: data.__setitem__(slice(8, 40), new))
    cache.entry.rename(cache.where / f"{new.hex()}.elf")
    content = b"".join(page for _, page in sorted(content_of(guest("vmlinux64", extra=" digests=1", preload=helpless)).items()))
    assert new in content and old not in content


def test_a_kernel_with_pages_of_zeroes(guest, cache, kernel, helpless):
    """They are holes in the entry, and have to be zeroes in the guest, which Xen need not have scrubbed to that."""
    elf = bytearray(images.elf(images.xen_notes(images.LOAD), file_bytes=40 * 4096, mem_bytes=50 * 4096))
    elf[-30 * 4096:-10 * 4096 + 77] = bytes(20 * 4096 + 77)
    kernel.write_bytes(images.bzimage(gzip.compress(bytes(elf), mtime=0)))
    plain = guest().memory(images.LOAD, 50 * 4096)
    cache.add(kernel)
    assert cache.entry.stat().st_blocks * 512 < len(elf) - 15 * 4096
    d = guest(preload=helpless)
    assert d.built, d.err
    same(d.memory(images.LOAD, 50 * 4096), plain, "the kernel")


# --- what is odd is no hit, and one line says so ------------------------------------------------------------------------

def rewrite(path, change):
    """An entry that nobody has written by the rules: the same name, mode and owner."""
    data = bytearray(path.read_bytes())
    change(data)
    path.unlink()
    path.write_bytes(data)
    path.chmod(0o400)


def image_off(cache, field):
    """Where in an entry's head a value of the image lies: by its value, which is there once."""
    return cache.entry.read_bytes()[:BODY].index(field)


def move_a_load(cache, kernel):
    """The first PT_LOAD says that it is at another address."""
    first = struct.pack("<QQ", images.LOAD, 5 * 4096)  # gpa, mem_bytes
    at = image_off(cache, first)
    rewrite(cache.entry, lambda data: struct.pack_into("<Q", data, at, images.LOAD + (1 << 40)))


def enlarge_a_load(cache, kernel):
    first = struct.pack("<QQ", images.LOAD, 5 * 4096)
    at = image_off(cache, first) + 24  # file_bytes
    rewrite(cache.entry, lambda data: struct.pack_into("<Q", data, at, 5 * 4096))


def other_version(cache, kernel):
    at = image_off(cache, b"PvBa") + 8  # behind magic and size
    rewrite(cache.entry, lambda data: data.__setitem__(slice(at, at + 6), b"0.0.9\0"))


def by_link(cache, kernel):
    other = cache.where.parent / "elsewhere"
    cache.entry.rename(other)
    (cache.where / f"{hashlib.sha256(kernel.read_bytes()).hexdigest()}.elf").symlink_to(other)


def key_by_link(cache, kernel):
    name, other = cache.key, cache.where.parent / "elsewhere"
    name.rename(other)
    name.symlink_to(other)


def by_fifo(cache, kernel):
    name = cache.entry
    name.unlink()
    os.mkfifo(name, 0o400)


def replace_by_rename(cache, kernel):
    new = kernel.with_suffix(".new")
    new.write_bytes(images.bzimage(version="6.1.1-toy"))
    new.chmod(0o644)
    new.rename(kernel)


def rewrite_in_place(cache, kernel):
    kernel.write_bytes(images.bzimage(version="6.1.1-toy"))


def of_another_kernel(cache, kernel):
    """A good entry in this one's place."""
    good = cache.entry
    other = kernel.with_name("other")
    other.write_bytes(images.bzimage(version="6.6.6-toy"))
    elsewhere = Cache(cache.build, cache.where.parent / "second")
    elsewhere.add(other)
    shutil.copy(elsewhere.entry, good.with_suffix(".new"))
    good.with_suffix(".new").rename(good)


ODD = {
    "rewritten in place": (rewrite_in_place, "of another version of"),
    "replaced by rename": (replace_by_rename, "has another version of"),
    "a symbolic link": (by_link, "a symbolic link"),
    "a key that is a symbolic link": (key_by_link, "a symbolic link"),
    "a FIFO": (by_fifo, "not a regular file"),
    "a second name": (lambda c, k: os.link(c.entry, c.where.parent / "second"), "it has 2 names"),
    "readable for the group": (lambda c, k: c.entry.chmod(0o440), "mode 0440, not 0400"),
    "writable": (lambda c, k: c.entry.chmod(0o600), "mode 0600, not 0400"),
    "a writable key": (lambda c, k: c.key.chmod(0o420), "mode 0420, not 0400"),
    "a directory that others may look into": (lambda c, k: c.where.chmod(0o755), "others may use the directory"),
    "half written": (lambda c, k: rewrite(c.entry, lambda d: d.__delitem__(slice(len(d) // 2, None))), "bytes, with an ELF of"),
    "only begun": (lambda c, k: rewrite(c.entry, lambda d: d.__delitem__(slice(100, None))), "ends after 100 of"),
    "empty": (lambda c, k: rewrite(c.entry, lambda d: d.clear()), "ends after 0 of"),
    "holes, as after a loss of power": (lambda c, k: rewrite(c.entry, lambda d: d.__setitem__(slice(0, BODY), bytes(BODY))),
                                        "not an entry"),
    "too long": (lambda c, k: rewrite(c.entry, lambda d: d.extend(b"!")), "bytes, with an ELF of"),
    "a short key": (lambda c, k: rewrite(c.key, lambda d: d.__delitem__(slice(-1, None))), "bytes, a key has"),
    "no key": (lambda c, k: rewrite(c.key, lambda d: d.__setitem__(0, 1)), "not a key of this pvboot's"),
    "a path without an end": (lambda c, k: rewrite(c.key, lambda d: d.__setitem__(slice(104, None), b"/" * (len(d) - 104))),
                              "its path is none"),
    "no entry": (lambda c, k: c.entry.unlink(), "its entry is not there"),
    "of another pvboot": (other_version, "made by pvboot 0.0.9"),
    "of another kernel": (of_another_kernel, "the entry of another kernel"),
    "a load that is elsewhere": (move_a_load, "contradicts itself"),
    "a load past its end": (enlarge_a_load, "contradicts itself"),
}


@pytest.mark.parametrize("what", ODD)
def test_odd(guest, cache, kernel, what):
    change, text = ODD[what]
    cache.add(kernel)
    change(cache, kernel)
    d = guest()
    note, = notes(d)
    assert text in note
    plain = guest(where="off")
    assert content_of(d) == content_of(plain)


@pytest.mark.skipif(not ROOT, reason="gives files away")
@pytest.mark.parametrize("what", ["entry", "key", "where"])
def test_somebody_elses(guest, cache, kernel, what):
    cache.add(kernel)
    os.chown(getattr(cache, what), 65534, 0)
    d = guest()
    note, = notes(d)
    assert "user 65534's, not user 0's" in note and d.built


def test_a_directory_by_another_name(guest, cache, kernel, tmp_path):
    cache.add(kernel)
    (tmp_path / "link").symlink_to(cache.where)
    for name in "link", "link/", "link/.":
        note, = notes(guest(where=f"{tmp_path}/{name}"))
        assert "a symbolic link" in note


# --- what the cache has nothing to say of -------------------------------------------------------------------------------

def writable_for_others(cache, kernel):
    """Whose stamps a mapping may leave as they are.  The key is made to fit, for the mode is in no key."""
    cache.add(kernel)
    kernel.chmod(0o664)
    st = kernel.stat()
    rewrite(cache.key, lambda data: struct.pack_into("<qqqq", data, 8 + 24, *divmod(st.st_mtime_ns, 10**9),
                                                     *divmod(st.st_ctime_ns, 10**9)))


def same_stamps(cache, kernel):
    """Another file with the stamps, inode and size of the first, as an image of a file system in place of another has it, on the
    same loop or mapper device, if whoever made them sets the stamps."""
    cache.add(kernel)
    data = bytearray(kernel.read_bytes())
    data[-100] ^= 1
    kernel.write_bytes(data)
    st = kernel.stat()
    rewrite(cache.key, lambda data: struct.pack_into("<qqqq", data, 8 + 24, *divmod(st.st_mtime_ns, 10**9),
                                                     *divmod(st.st_ctime_ns, 10**9)))


SILENT = {
    "no cache": lambda cache, kernel: None,
    "an empty one": lambda cache, kernel: cache.where.mkdir(0o700),
    "another kernel": lambda cache, kernel: cache.add(shutil.copy(kernel, kernel.with_name("other"))),
    "writable for others": writable_for_others,
}


@pytest.mark.parametrize("what", SILENT)
def test_silence(guest, cache, kernel, helpless, what):
    SILENT[what](cache, kernel)
    d = guest()
    assert d.built and notes(d) == []
    assert guest(preload=helpless).refusal.startswith("pvboot: sandbox: ")


def test_who_owns_a_kernel_can_write_to_it(guest, cache, kernel, helpless):
    """The counterpart: with a key that fits, the mode alone makes the difference."""
    writable_for_others(cache, kernel)
    kernel.chmod(0o644)
    st = kernel.stat()
    rewrite(cache.key, lambda data: struct.pack_into("<qqqq", data, 8 + 24, *divmod(st.st_mtime_ns, 10**9),
                                                     *divmod(st.st_ctime_ns, 10**9)))
    assert guest(preload=helpless).built


def test_another_kernel_of_the_same_stamps(guest, cache, kernel, helpless):
    same_stamps(cache, kernel)
    d = guest(preload=helpless)
    note, = notes(d)
    assert "of another version" in note and not d.built


def test_off(guest, cache, kernel, helpless):
    cache.add(kernel)
    assert guest(preload=helpless).built
    assert guest(preload=helpless, where="off").refusal.startswith("pvboot: sandbox: ")


def test_a_zero_page_entry_does_not_look(guest, cache, kernel):
    cache.add(kernel)
    cache.entry.chmod(0o600)
    d = guest("linux64")
    assert d.built and notes(d) == []


def test_a_limit_is_a_limit(guest, cache, kernel):
    """What the cache has unpacked is over it, too."""
    elf = images.elf(images.xen_notes(images.LOAD), file_bytes=400 * 4096, mem_bytes=400 * 4096)
    kernel.write_bytes(images.bzimage(gzip.compress(elf, mtime=0)))
    cache.add(kernel)
    assert guest(extra=" unpacked_max=2").built
    assert guest(extra=" unpacked_max=1").refusal.startswith("pvboot: limit: ")


# --- the configuration --------------------------------------------------------------------------------------------------

def config(kernel, cache, **more):
    keys = {"name": "g", "builder": "pvboot", "pvboot_entry": "pvh", "kernel": kernel, "memory": 64, "pvboot_cache": cache,
            **more}
    return "".join(f'{key} = "{value}"\n' for key, value in keys.items())


def test_the_look_at_the_configuration_needs_no_helper(xl, cache, kernel, helpless):
    cache.add(kernel)
    assert xl(config(kernel, cache.where), preload=helpless).returncode == 0
    refused = xl(config(kernel, "off"), preload=helpless)
    assert refused.returncode and "pvboot: sandbox: " in refused.stderr


def test_it_is_said_once(xl, cache, kernel):
    cache.add(kernel)
    rewrite_in_place(cache, kernel)
    done = xl(config(kernel, cache.where))
    assert done.returncode == 0 and done.stderr.count(NOTE) == 1


@pytest.mark.parametrize("value", ["cache", "./cache", "/a b", "on", ""])
def test_no_directory(xl, kernel, value):
    done = xl(config(kernel, value))
    assert done.returncode and "pvboot: usage: " in done.stderr and "cache=" in done.stderr


def test_it_travels(xl, kernel, cache):
    """So that a reboot finds the same."""
    done = xl(config(kernel, cache.where))
    assert json.loads(done.stdout)["b_info"]["type.pvh"]["pvshim_extra"] == f"entry=pvh cache={cache.where}"
