# SPDX-License-Identifier: LGPL-2.1-only
"""pvboot_sandbox= in stock xl, and sandbox= on the carrier in stock libxenguest, on hosts that lack a layer; and that
$PVBOOT_SANDBOX, which is the command line's, changes nothing there."""
import shutil

import pytest

LAYERS = ("landlock", "limits", "seccomp")


def note(layer):
    return [f"pvboot: note: the kernel's parser ran without: {layer}"]


def refusal(kernel, layer):
    return f"pvboot: sandbox: {kernel}: this host has no layer '{layer}' for the confined parser: "


def ours(text):
    return [line for line in text.splitlines() if "pvboot:" in line]


@pytest.fixture
def config(files):
    def make(mode=None):
        return (f'name="guest"\nmemory=64\nbuilder="pvboot"\npvboot_entry="linux64"\nkernel="{files / "bzimage"}"\n'
                + (f'pvboot_sandbox="{mode}"\n' if mode else ""))
    return make


@pytest.fixture
def carrier(domain, files):
    """A domain as libxl has it built once the config has been read."""
    def make(mode=None, **more):
        return domain(kernel=files / "bzimage", cmdline="console=hvc0",
                      carrier="pvboot entry=linux64" + (f" sandbox={mode}" if mode else ""), **more)
    return make


@pytest.fixture
def telltale(plugin, tmp_path):
    """The plugin beside a helper that leaves a trace; the trace."""
    for file in plugin, plugin.parent / "pvboot-stub.elf":
        shutil.copy(file, tmp_path)
    helper, trace = tmp_path / "pvboot-parse", tmp_path / "trace"
    helper.write_text(f"#!/bin/sh\necho ran >>{trace}\n")
    helper.chmod(0o755)
    return tmp_path / plugin.name, trace


@pytest.mark.parametrize("layer", LAYERS)
def test_config_on_a_host_that_lacks_a_layer(xl, config, lacking, files, layer):
    good = xl(config())
    assert (good.returncode, ours(good.stderr)) == (0, [])
    for mode in None, "strict":
        done = xl(config(mode), under=lacking(layer))
        assert done.returncode not in (0, None) and done.stdout == "" and len(ours(done.stderr)) == 1
        assert ours(done.stderr)[0].startswith(refusal(files / "bzimage", layer))
    done = xl(config("best"), under=lacking(layer))
    assert (done.returncode, ours(done.stderr)) == (0, note(layer))
    done = xl(config("off"), under=lacking(layer))
    assert (done.returncode, ours(done.stderr)) == (0, [])


@pytest.mark.parametrize("layer", LAYERS)
def test_build_on_a_host_that_lacks_a_layer(carrier, lacking, files, layer):
    good = carrier()
    assert good.built and not ours(good.err)
    pages = set(good.content())  # not their bytes: a random seed is among them
    for mode in None, "strict":
        done = carrier(mode, under=lacking(layer))
        assert not done.built and done.refusal.startswith(refusal(files / "bzimage", layer))
    for mode, says in ("best", note(layer)), ("off", []):
        done = carrier(mode, under=lacking(layer))
        assert done.built and ours(done.err) == says
        assert set(done.content()) == pages and done.registers == good.registers


@pytest.mark.parametrize("value", ["off", "best", "frob"])
def test_variable_is_the_command_lines_alone(xl, config, carrier, lacking, files, value):
    """Whoever set it for pvboot has not changed how the guests of this host are parsed."""
    env = {"PVBOOT_SANDBOX": value}
    done = xl(config(), under=lacking("landlock"), **env)
    assert done.returncode not in (0, None) and done.stdout == ""
    assert ours(done.stderr)[0].startswith(refusal(files / "bzimage", "landlock"))
    assert ours(xl(config("best"), under=lacking("landlock"), **env).stderr) == note("landlock")
    assert carrier(under=lacking("landlock"), env=env).refusal.startswith(refusal(files / "bzimage", "landlock"))
    assert ours(carrier("best", under=lacking("landlock"), env=env).err) == note("landlock")


def test_off_starts_no_helper(xl, config, carrier, telltale):
    preload, trace = telltale
    assert xl(config("off"), preload=preload).returncode == 0
    assert carrier("off", preload=preload, shim=preload.parent / "pvboot-stub.elf").built
    assert not trace.exists()
    assert xl(config("best"), preload=preload).returncode != 0
    assert not carrier("best", preload=preload, shim=preload.parent / "pvboot-stub.elf").built
    assert trace.read_text() == "ran\n" * 2


@pytest.mark.parametrize("mode", ["frob", "Best", "0"])
def test_no_such_mode(xl, config, mode):
    done = xl(config(mode))
    assert done.returncode not in (0, None) and done.stdout == "" and len(ours(done.stderr)) == 1
    assert ours(done.stderr)[0].startswith("pvboot: usage: ") and f"'{mode}'" in ours(done.stderr)[0]
