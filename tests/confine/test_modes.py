# SPDX-License-Identifier: LGPL-2.1-only
"""strict, best and off, by --sandbox and by $PVBOOT_SANDBOX, on hosts that lack a layer, through the whole command."""
import os
import shutil
import subprocess

import pytest

from kernels import BUILD, images

LAYERS = ("descriptors", "limits", "user", "death signal", "undumpable", "landlock", "no descriptors", "seccomp")


@pytest.fixture
def kernel(write):
    return write(images.bzimage())


def run(*words, lacking=None, program=BUILD / "pvboot", **env):
    """Exit code, standard output, standard error."""
    command = [*([BUILD / "tests/confine/lacking", lacking] if lacking else []), program, *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def asked(mode, how):
    """Words and variables that ask for @mode."""
    return (["--sandbox", mode], {}) if how == "option" else ([], {"PVBOOT_SANDBOX": mode})


@pytest.mark.parametrize("how", ["option", "variable"])
@pytest.mark.parametrize("layer", LAYERS)
def test_lacking_a_layer(kernel, layer, how):
    good = run("inspect", kernel)
    assert good[0] == 0 and good[1] and not good[2]

    def judged(mode):
        words, env = asked(mode, how)
        return run("inspect", *words, kernel, lacking=layer, **env)

    rc, out, err = judged("strict")
    assert (rc, out, err.count("\n")) == (73, "", 1)
    assert err.startswith(f"pvboot: sandbox: {kernel}: this host has no layer '{layer}' for the confined parser: ")
    assert judged("best") == (0, good[1], f"pvboot: note: the kernel's parser ran without: {layer}\n")
    assert judged("off") == good


def test_strict_is_the_default(kernel):
    assert run("inspect", kernel, lacking="landlock")[0] == 73
    assert run("plan", "--entry", "pvh", "--memory", "64", kernel, lacking="landlock")[0] == 73


@pytest.mark.parametrize("what,value", [("CPU", 10), ("DATA", 100 << 20), ("STACK", 1 << 20), ("CORE", 0)])
def test_less_than_the_limit(installed, what, value):
    """A caller without privileges, who cannot raise what it has been given, and need not."""
    import resource

    def lessen():
        resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (value, value))
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)

    (installed / "vmlinuz").write_bytes(images.bzimage())
    done = subprocess.run([installed / "pvboot", "inspect", installed / "vmlinuz"], preexec_fn=lessen, env={},
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout


def test_option_before_variable(kernel):
    assert run("inspect", "--sandbox", "strict", kernel, lacking="landlock", PVBOOT_SANDBOX="off")[0] == 73
    assert run("inspect", "--sandbox", "off", kernel, lacking="landlock", PVBOOT_SANDBOX="strict")[0] == 0


def test_nothing_lacking_nothing_noted(kernel):
    good = run("inspect", kernel)
    assert [run("inspect", "--sandbox", mode, kernel) for mode in ("strict", "best", "off")] == [good] * 3


def test_off_starts_no_helper(kernel, tmp_path):
    """One that leaves a trace stands where the helper should."""
    program, trace = tmp_path / "pvboot", tmp_path / "trace"
    shutil.copy(BUILD / "pvboot", program)
    helper = tmp_path / "pvboot-parse"
    helper.write_text(f"#!/bin/sh\necho ran >>{trace}\n")
    helper.chmod(0o755)
    good = run("inspect", kernel)
    for words, env in asked("off", "option"), asked("off", "variable"):
        assert run("inspect", *words, kernel, program=program, **env) == good
        assert not trace.exists()
    for mode in "best", "strict":
        rc, out, err = run("inspect", "--sandbox", mode, kernel, program=program)
        assert (rc, out, err.count("\n")) == (73, "", 1)
    assert trace.read_text() == "ran\n" * 2


@pytest.mark.parametrize("mode", ["frob", "", "Best", "off "])
@pytest.mark.parametrize("how", ["option", "variable"])
@pytest.mark.parametrize("command", [["inspect"], ["plan", "--entry", "pvh", "--memory", "64"]])
def test_no_such_mode(kernel, command, how, mode):
    words, env = asked(mode, how)
    rc, out, err = run(*command, *words, kernel, **env)
    assert (rc, out, err.count("\n")) == (64, "", 1)
    assert err.startswith("pvboot: usage: ") and f"'{mode}'" in err
