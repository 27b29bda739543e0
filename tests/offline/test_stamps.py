# SPDX-License-Identifier: LGPL-2.1-only
"""The benchmark's shim around real builds: what is built does not change, and what it says can be checked."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from lab.base import cc  # noqa: E402
from lab.bench import bed, stamps  # noqa: E402

KINDS = {"ours": {"carrier": "pvboot entry=linux64 rng_seed=0"}, "stock": {"kind": "pvh", "preload": None, "kernel": "pvh.elf"}}


@pytest.fixture
def stamped(domain, plugin, files, tmp_path, monkeypatch):
    """stamped(kind, *options): a build with the shim in front, made with these options, and what it said."""
    monkeypatch.setenv("PVBOOT_LAB_DIR", str(tmp_path / "lab"))

    def run(kind, *options, **more):
        shim = cc.built("stamps.so", [bed.HERE / "stamps.c"], *bed.SHIM, *options)
        words = {"preload": plugin, "kernel": "bzimage", "ramdisk": files / "initrd", **KINDS[kind], **more}
        words["kernel"] = files / words["kernel"]
        words["preload"] = f"{shim}:{words['preload']}" if words["preload"] else shim
        d = domain(env={"PVBOOT_STAMPS": str(tmp_path / "stamps")}, **words)
        return d, stamps.parse((tmp_path / "stamps").read_text())
    return run


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [(), ("-DCOUNT",)])
def test_the_same_guest_with_the_shim_in_front(domain, stamped, files, kind, options):
    words = dict(KINDS[kind])
    words["kernel"] = files / words.get("kernel", "bzimage")
    plain = domain(ramdisk=files / "initrd", **words)
    before = (plain.out, plain.content())
    d, _ = stamped(kind, *options)
    assert d.built and (d.out, d.content()) == before


@pytest.mark.parametrize("kind", KINDS)
def test_every_phase_but_the_config_takes_time(stamped, kind):
    _, build = stamped(kind)
    assert [phase for phase, seconds in build.phases.items() if not seconds] == ["config"]  # the driver reads none
    assert build.xl_kib > 1000 and not build.counts


@pytest.mark.parametrize("kind", KINDS)
def test_a_ramdisk_that_is_larger_by_a_mib_is_copied(stamped, files, tmp_path, kind):
    larger = tmp_path / "larger"
    larger.write_bytes((files / "initrd").read_bytes() + bytes(range(256)) * 4096)
    less, more = (sum(stamped(kind, "-DCOUNT", ramdisk=path)[1].counts[name] for name in ("read_bytes", "write_bytes", "copied"))
                  for path in (files / "initrd", larger))
    assert 1 << 20 <= more - less < 8 << 20


def test_helpers_are_counted(stamped):
    assert stamped("ours", "-DCOUNT")[1].counts["processes"] > 0


def test_no_whole_copy_for_the_default_entry(stamped):
    """auto reads and writes what linux64 does, which is what it takes: each byte of the kernel once, from file to guest."""
    def moved(carrier):
        counts = stamped("ours", "-DCOUNT", kernel="large", carrier=f"pvboot {carrier} rng_seed=0")[1].counts
        return counts["read_bytes"] + counts["write_bytes"]

    assert abs(moved("entry=auto") - moved("entry=linux64")) < 64 << 10
    assert moved("entry=pvh sandbox=off") - moved("entry=auto") > 3 << 20  # there the file is copied, and it shows
