# SPDX-License-Identifier: LGPL-2.1-only
"""The plugin as it would be installed, kernels to build with, and the driver around stock libxenguest."""
import os
import pathlib
import shutil
import subprocess

import images
import pytest
from domain import Domain

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("PVBOOT_BUILD", "build")


@pytest.fixture(scope="session")
def build():
    """Where make put things."""
    for name in "pvboot", "pvboot-parse", "pvboot-xl.so", "tests/offline/driver", "tests/offline/xl-faked.so":
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
        "initrd": images.pattern(20001, 7),
        "text": b"This is no kernel.\n" * 100,
    }
    for name, data in content.items():
        (d / name).write_bytes(data)
    return d


@pytest.fixture(scope="session")
def plugin(build, tmp_path_factory):
    """pvboot-xl.so beside the confined parser and a stub, as make install lays them out."""
    d = tmp_path_factory.mktemp("libexec")
    shutil.copy(build / "pvboot-xl.so", d)
    shutil.copy(build / "pvboot-parse", d)
    shutil.copy(build / "pvboot-parse", d)
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
def xl(build, plugin, tmp_path):
    """xl(config, *words, preload=...) runs the stock `xl create -n` on @config; preload None: without the plugin.

    A config of None is one that is no file: all of it is @words.
    """
    binaries = sorted(pathlib.Path("/usr/lib").glob("xen-*/bin/xl"))
    if not binaries:
        pytest.skip("no /usr/lib/xen-*/bin/xl here: xen-utils is not installed")
    faked = build / "tests/offline/xl-faked.so"

    def run(text, *words, preload=plugin, **env):
        path = tmp_path / "guest.cfg" if text is not None else "/dev/null"
        if text is not None:
            path.write_text(text)
        env["LD_PRELOAD"] = f"{faked}:{preload}" if preload else str(faked)
        return subprocess.run([binaries[-1], "create", "-n", path, *words], env=env, capture_output=True, text=True,
                              timeout=60)
    return run
