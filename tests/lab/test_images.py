# SPDX-License-Identifier: LGPL-2.1-only
"""Files that several flights and runs make at once, under one name."""

import pytest

from lab.base import kernels, packages
from lab.guests import images, store_domain
from lab.cases import variants
from lab.cases.case import Case
from lab.flight import recipes


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setenv("PVBOOT_LAB_DIR", str(tmp_path))
    monkeypatch.setattr(images, "PADDING_MIB", 1)
    return images.named("guest-amd64", b"cpio")


def test_a_large_ramdisk_is_the_same_file_for_everybody(small, monkeypatch):
    monkeypatch.setattr(images, "initramfs", lambda store, arch: small)
    of_flight = recipes.initrd(None, "amd64", "large")
    of_run, _ = variants.prepare(None, Case("x", "linux64", "6.1", ramdisk="large"), small)
    assert of_flight == of_run != small
    assert of_run.read_bytes() == b"cpio" + bytes(1 << 20)
    assert recipes.initrd(None, "amd64", "small") == small


def test_a_file_has_its_name_only_when_it_is_whole(small, monkeypatch):
    def cut_short(path, data):
        path.open("wb").write(data[:2])
        raise OSError("no space left")
    monkeypatch.setattr(type(small), "write_bytes", cut_short)
    before = set(small.parent.glob("*.cpio"))
    with pytest.raises(OSError):
        images.padded(small)
    with pytest.raises(OSError):
        images.named("part", b"another")
    assert set(small.parent.glob("*.cpio")) == before


def test_a_domain_for_xenstored_has_dom0s_modules_in_their_order(small, monkeypatch):
    asked = []

    def modules(store, kernel, names):
        asked.append((kernel, names))
        return {"xen-gntdev.ko": b"<gntdev>", "xen-evtchn.ko": b"<evtchn>"}
    monkeypatch.setattr(kernels, "modules", modules)
    monkeypatch.setattr(packages, "busybox", lambda store: small)
    if not packages.xen_dirs():
        pytest.skip("no xen-utils here")
    data = store_domain.ramdisk(None).read_bytes()
    assert asked == [(kernels.dom0(), store_domain.MODULES)]
    assert b"xen-gntdev.ko\nxen-evtchn.ko\n" in data and b"<gntdev>" in data and b"<evtchn>" in data
