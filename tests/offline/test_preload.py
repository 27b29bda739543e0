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


def test_installed_wrapper_preloads_the_plugin(tmp_path):
    """src/frontends/xl/xl.in with its directory filled in, in front of a program that prints its environment."""
    source = pathlib.Path(__file__).resolve().parents[2] / "src/frontends/xl/xl.in"
    script = tmp_path / "xl"
    text = source.read_text().replace("@LIBEXECDIR@", "/opt/pvboot")
    assert "exec /usr/sbin/xl " in text
    script.write_text(text.replace("exec /usr/sbin/xl ", "exec /usr/bin/env "))
    script.chmod(0o755)
    for before, after in (None, "/opt/pvboot/pvboot-xl.so"), ("/x.so", "/opt/pvboot/pvboot-xl.so:/x.so"):
        env = {"LD_PRELOAD": before} if before else {}
        done = subprocess.run([script], env=env, capture_output=True, text=True)
        assert f"LD_PRELOAD={after}\n" in done.stdout


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
