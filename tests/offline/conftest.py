# SPDX-License-Identifier: LGPL-2.1-only
"""The plugin as it would be installed, kernels to build with, and the driver around stock libxenguest."""
import os
import pathlib
import shutil
import struct
import subprocess

import images
import pytest
from domain import Domain

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("PVBOOT_BUILD", "build")


@pytest.fixture(scope="session")
def build():
    """Where make put things."""
    for name in "pvboot", "pvboot-parse", "tests/fake/pvboot-parse", "pvboot-xl.so", "tests/offline/driver", "tests/offline/xl-faked.so":
        assert (BUILD / name).exists(), f"{BUILD / name} is missing: make offline builds it"
    return BUILD


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Kernels, a ramdisk, and PV and PVH ELFs, by name."""
    d = tmp_path_factory.mktemp("images")
    linux = images.note("Xen", 6, b"linux\0")
    content = {
        "bzimage": images.bzimage(),
        "bzimage32": images.bzimage(xloadflags=0, version="4.19.0-toy"),
        "vmlinux": images.elf(images.xen_notes(images.LOAD) + linux),
        "pvh.elf": images.elf(images.xen_notes(images.LOAD)),
        "two_loads.elf": images.two_loads(images.xen_notes(images.LOAD) + linux),
        "pvshim.elf": images.elf(images.xen_notes(0x200000), load=0x200000, seed=5),
        "pv.elf": images.elf(images.pv_notes(), vaddr=images.PV_BASE + images.LOAD),
        "initrd": b"070701" + images.pattern(19995, 7),
        "large": images.bzimage() + bytes((3 << 20) - len(images.bzimage())),
        "text": b"This is no kernel.\n" * 100,
    }
    for name, data in content.items():
        (d / name).write_bytes(data)
    return d


@pytest.fixture(scope="session")
def plugin(build, tmp_path_factory):
    """pvboot-xl.so beside the confined parser, to which the fake Xen gives guest memory, too, and a stub, as make install
    lays them out."""
    d = tmp_path_factory.mktemp("libexec")
    shutil.copy(build / "pvboot-xl.so", d)
    shutil.copy(build / "tests/fake/pvboot-parse", d)
    (d / "pvboot-stub.elf").write_bytes(images.elf(images.stub_notes(0x100000), load=0x100000, seed=3, bits=32))
    return d / "pvboot-xl.so"


@pytest.fixture
def domain(build, plugin, tmp_path):
    """domain(preload=..., ...) builds one domain on the fake Xen; see Domain."""
    def make(**kw):
        kw.setdefault("preload", plugin)
        kw.setdefault("shim", plugin.parent / "pvboot-stub.elf")
        return Domain(build / "tests/offline/driver", tmp_path, **kw)
    return make


@pytest.fixture
def lacking(build):
    """lacking(layer): the command to run another under, where the kernel lacks a layer of the confinement."""
    return lambda layer: [build / "tests/confine/lacking", layer]


@pytest.fixture
def stock_xl():
    binaries = sorted(pathlib.Path("/usr/lib").glob("xen-*/bin/xl"))
    if not binaries:
        pytest.skip("no /usr/lib/xen-*/bin/xl here: xen-utils is not installed")
    return binaries[-1]


@pytest.fixture
def restore(build, plugin, tmp_path, stock_xl):
    """restore(saved, config=None): what the stock `xl restore -d` reads from a saved domain's config, or from a file in
    its place, before it looks for a hypervisor."""
    def run(saved, config=None):
        data = saved.encode()
        stem = b"Xen saved domain, xl format\n \0 \r".ljust(32, b"\0")  # xl.h: struct save_file_header
        state, path = tmp_path / "saved", tmp_path / "guest.cfg"
        state.write_bytes(stem + struct.pack("<IIIII", 0x01020304, 2, 0, len(data) + 4, len(data)) + data)
        if config is not None:
            path.write_text(config)
        return subprocess.run([stock_xl, "restore", "-d", *([path] if config is not None else []), state],
                              env={"LD_PRELOAD": f"{build / 'tests/offline/xl-faked.so'}:{plugin}"}, capture_output=True,
                              text=True, timeout=60)
    return run


@pytest.fixture
def xl(build, plugin, tmp_path, stock_xl):
    """xl(config, *words, preload=...) runs the stock `xl create -n` on @config; preload None: without the plugin; @under: a
    command to run it under.

    A config of None is /dev/null, xl's word for one that is all in @words.
    """
    faked = build / "tests/offline/xl-faked.so"

    def run(text, *words, preload=plugin, under=(), **env):
        path = tmp_path / "guest.cfg" if text is not None else "/dev/null"
        if text is not None:
            path.write_text(text)
        env["LD_PRELOAD"] = f"{faked}:{preload}" if preload else str(faked)
        return subprocess.run([*under, stock_xl, "create", "-n", path, *words], env=env, capture_output=True, text=True,
                              timeout=60)
    return run
