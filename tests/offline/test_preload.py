# SPDX-License-Identifier: LGPL-2.1-only
"""Getting into a stock xl, and no further."""
import os
import pathlib
import subprocess

import pytest

XL = sorted(pathlib.Path("/usr/lib").glob("xen-*/bin/xl"))
LIBS = pathlib.Path("/usr/lib/x86_64-linux-gnu")

needs_xl = pytest.mark.skipif(not XL, reason="no /usr/lib/xen-*/bin/xl here: xen-utils is not installed")


@pytest.fixture
def cfg(files, tmp_path):
    path = tmp_path / "guest.cfg"
    path.write_text(f'name="g"\nbuilder="pvboot"\npvboot_entry="linux64"\nkernel="{files / "bzimage"}"\nmemory=64\n')
    return path


@pytest.fixture
def other(tmp_path):
    """Somebody else's preload."""
    path = tmp_path / "other.so"
    subprocess.run(["cc", "-shared", "-o", path, "-x", "c", os.devnull], check=True)
    return path


def preload_of(path):
    for line in path.read_text().splitlines():
        if line.startswith("LD_PRELOAD="):
            return line.split("=", 1)[1]
    return None


@needs_xl
@pytest.mark.parametrize("joined", ["{faked}:{plugin}:{other}", "{faked} {plugin} {other}", "{faked}:{other}:{plugin}",
                                    "{faked}:{plugin}::{plugin}:{other}"])
def test_xls_children_do_not_inherit(build, plugin, other, cfg, tmp_path, joined):
    faked = build / "tests/offline/xl-faked.so"
    env = {"LD_PRELOAD": joined.format(faked=faked, plugin=plugin, other=other), "PVBOOT_CHILD": str(tmp_path / "env")}
    done = subprocess.run([XL[-1], "create", "-n", cfg], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert preload_of(tmp_path / "env") == f"{faked}:{other}"


def test_nothing_left_is_no_variable(build, plugin, files, tmp_path):
    env = {"LD_PRELOAD": str(plugin), "PVBOOT_CHILD": str(tmp_path / "env")}
    subprocess.run([build / "tests/offline/driver", "--kernel", files / "pvh.elf", "--kind", "pvh", "--log", os.devnull],
                   env=env, check=True, capture_output=True)
    assert preload_of(tmp_path / "env") is None


@needs_xl
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_passes_through_a_wrapper_script(build, plugin, cfg, tmp_path, shell):
    """Debian's /usr/sbin/xl is a shell script that runs the xl of the running hypervisor's version."""
    wrapper = tmp_path / "xl"
    wrapper.write_text(f'#!{shell}\nset -e\nVERSION=$(echo 4.17)\nexec {XL[-1]} "$@"\n')
    wrapper.chmod(0o755)
    env = {"LD_PRELOAD": f"{build / 'tests/offline/xl-faked.so'}:{plugin}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([wrapper, "create", "-n", cfg], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"pvshim_extra": "entry=linux64"' in done.stdout


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def wrapper(tmp_path):
    """src/frontends/xl/xl.in as it is installed."""
    source = pathlib.Path(__file__).resolve().parents[2] / "src/frontends/xl/xl.in"
    return program(tmp_path / "ours/xl", source.read_text().replace("@LIBEXECDIR@", "/opt/pvboot"))


@pytest.fixture
def stock(tmp_path):
    """An xl that prints its environment and its words."""
    return program(tmp_path / "stock/xl", '#!/bin/sh\nset -- "$0" "$@"\n/usr/bin/env\nprintf "<%s>" "$@"\n')


def run_wrapper(script, *words, **env):
    env = {"PATH": ":".join(map(str, env.pop("path"))), **env}
    return subprocess.run([script, *words], env=env, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("before, after", [(None, "/opt/pvboot/pvboot-xl.so"), ("/x.so", "/opt/pvboot/pvboot-xl.so:/x.so")])
def test_the_wrapper_preloads_the_plugin_into_the_next_xl(wrapper, stock, before, after):
    env = {"LD_PRELOAD": before} if before else {}
    done = run_wrapper(wrapper, "create", "a b", "*", path=[wrapper.parent, stock.parent, "/usr/bin", "/bin"], **env)
    assert f"LD_PRELOAD={after}\n" in done.stdout and done.stdout.endswith(f"<{stock}><create><a b><*>")


def test_the_wrapper_takes_no_name_of_itself_for_another_xl(wrapper, stock, tmp_path):
    links = [tmp_path / name / "xl" for name in ("local", "deep")]
    for link, target in zip(links, (wrapper, links[0])):
        link.parent.mkdir()
        link.symlink_to(target)
    (tmp_path / "folder/xl").mkdir(parents=True)
    program(tmp_path / "plain/xl", "").chmod(0o644)
    path = [links[1].parent, links[0].parent, "", ".", tmp_path / "folder", tmp_path / "plain", stock.parent, "/usr/bin", "/bin"]
    done = subprocess.run([links[1]], cwd=wrapper.parent, env={"PATH": ":".join(map(str, path))}, capture_output=True, text=True, timeout=20)
    assert done.stdout.endswith(f"<{stock}>"), done.stderr


def test_two_copies_of_the_wrapper_do_not_call_each_other_for_ever(wrapper, stock, tmp_path):
    copy = program(tmp_path / "copy/xl", wrapper.read_text())
    done = run_wrapper(wrapper, path=[wrapper.parent, copy.parent, stock.parent, "/usr/bin", "/bin"])
    assert (done.returncode, done.stdout) == (64, "")
    said = [line for line in done.stderr.splitlines() if line.startswith("pvboot: ")]  # the loader misses /opt/pvboot
    assert len(said) == 1 and said[0].startswith(f"pvboot: usage: {copy}: called by another copy of itself")


@pytest.mark.skipif(any(os.path.exists(f"{d}/xl") for d in ("/usr/sbin", "/usr/local/sbin")), reason="this machine has an xl")
def test_the_wrapper_says_that_there_is_no_other_xl(wrapper):
    done = run_wrapper(wrapper, path=[wrapper.parent, "/usr/bin", "/bin"])
    assert (done.returncode, done.stdout) == (71, "")
    assert done.stderr.startswith("pvboot: host resource: no other xl in PATH=")


@pytest.mark.parametrize("command", [["/bin/true"], ["/bin/sh", "-c", "exit 3"], ["/bin/ls", "/nonexistent"]])
def test_silent_in_other_programs(plugin, command):
    stock = subprocess.run(command, env={}, capture_output=True)
    done = subprocess.run(command, env={"LD_PRELOAD": str(plugin)}, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (stock.returncode, stock.stdout, stock.stderr)


def renumber(source, target, minor):
    """A copy of a program or library that wants, or is, libxenguest.so.4.@minor."""
    data = source.read_bytes()
    old = XL[-1].parent.parent.name.replace("xen-", "libxenguest.so.").encode()
    new = f"libxenguest.so.4.{minor}".encode()
    assert len(old) == len(new) and old in data
    target.write_bytes(data.replace(old, new))
    target.chmod(0o755)


@needs_xl
@pytest.mark.parametrize("minor", [14, 23])
def test_unknown_libxenguest_is_left_alone(build, plugin, files, cfg, tmp_path, minor):
    """Its structures may differ: nothing is registered, and a config that asks for us is refused with the reason."""
    lib = tmp_path / "lib"
    lib.mkdir()
    own = XL[-1].parent.parent.name.replace("xen-", "")
    renumber((LIBS / f"libxenguest.so.{own}").resolve(), lib / f"libxenguest.so.4.{minor}", minor)
    renumber((LIBS / f"libxenlight.so.{own}").resolve(), lib / f"libxenlight.so.{own}", minor)
    env = {"LD_PRELOAD": f"{build / 'tests/offline/xl-faked.so'}:{plugin}", "LD_LIBRARY_PATH": str(lib)}
    done = subprocess.run([XL[-1], "create", "-n", cfg], env=env, capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("pvboot:")]
    assert done.returncode == 1 and len(lines) == 1, done.stderr
    assert lines[0].startswith("pvboot: unsupported: ") and f"libxenguest.so.4.{minor}: " in lines[0]

    driver = tmp_path / "driver"
    renumber(build / "tests/offline/driver", driver, minor)
    shim = plugin.parent / "pvboot-stub.elf"
    log = tmp_path / "log"
    subprocess.run([driver, "--shim", shim, "--carrier", "pvboot entry=linux64", "--kernel", files / "bzimage", "--log", log],
                   env=env | {"LD_PRELOAD": str(plugin)}, check=True, capture_output=True)
    assert "trying pvboot loader" not in log.read_text()


def test_library_in_a_scope_of_its_own(build, plugin, tmp_path):
    """A program that opens libxl as a plugin of its own, as libvirt's driver is: RTLD_NEXT does not see that far."""
    (tmp_path / "driver.c").write_text("""
        #include <stdio.h>
        #include <libxlutil.h>
        int parse(void)
        {
            const char *value = "", *text = "name=\\"guest\\"\\n";
            XLU_Config *cfg = xlu_cfg_init(stderr, "driver");
            return xlu_cfg_readdata(cfg, text, 13) || xlu_cfg_get_string(cfg, "name", &value, 0) || value[0] != 'g';
        }""")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "driver.so", tmp_path / "driver.c", "-lxlutil"], check=True)
    script = f"import ctypes, sys; sys.exit(ctypes.CDLL('{tmp_path / 'driver.so'}').parse())"
    done = subprocess.run(["/usr/bin/python3", "-c", script], env={"LD_PRELOAD": str(plugin)}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_missing_stub_is_found_beside_the_plugin_only(plugin, tmp_path, cfg, build):
    """The stub's path follows the plugin's real place, whatever link it was loaded through."""
    if not XL:
        pytest.skip("no /usr/lib/xen-*/bin/xl here: xen-utils is not installed")
    link = tmp_path / "linked" / "pvboot-xl.so"
    link.parent.mkdir()
    link.symlink_to(plugin)
    env = {"LD_PRELOAD": f"{build / 'tests/offline/xl-faked.so'}:{link}"}
    done = subprocess.run([XL[-1], "create", "-n", cfg], env=env, capture_output=True, text=True)
    assert f'"pvshim_path": "{plugin.parent / "pvboot-stub.elf"}"' in done.stdout
