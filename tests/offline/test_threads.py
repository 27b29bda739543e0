# SPDX-License-Identifier: LGPL-2.1-only
"""The plugin in programs with threads, and in programs that open libxl later.  `make TSAN=1 threads`: all of it under
ThreadSanitizer."""
import os
import pathlib
import subprocess

import pytest

LIBXLUTIL = sorted(pathlib.Path("/usr/lib/x86_64-linux-gnu").glob("libxlutil.so.4.*"))[0]
SANITIZED = "TSAN" in os.environ  # make puts it there
CALLS, ROUNDS = (500, 2) if SANITIZED else (10000, 15)


def run(*command, plugin, **env):
    # ThreadSanitizer wants a fixed layout
    done = subprocess.run(["setarch", "-R", "env", f"LD_PRELOAD={plugin}", *command], env=env, capture_output=True, text=True,
                          timeout=180)
    assert "WARNING: ThreadSanitizer" not in done.stderr, done.stderr
    return done


def test_library_opened_under_other_threads(build, plugin, tmp_path):
    """Two locks of ld.so's in the wrong order stop all of them for good."""
    (tmp_path / "empty.c").write_text("int empty;")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "empty.so", tmp_path / "empty.c"], check=True)
    done = run(build / "tests/offline/threads", str(CALLS), LIBXLUTIL, tmp_path / "empty.so", plugin=plugin)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("entries", [("linux64", "linux64"), ("linux64", "vmlinux64"), ("pvh", "linux32")], ids="-".join)
def test_two_builds_at_once(build, plugin, files, entries):
    kernel = files / "bzimage"
    carriers = [f"pvboot entry={entry} rng_seed=0" for entry in entries]
    done = run(build / "tests/offline/pair", str(ROUNDS), plugin.parent / "pvboot-stub.elf", kernel, *carriers, plugin=plugin)
    assert (done.returncode, done.stderr) == (0, "")


def late(build, plugin, files, tmp_path, *more, **env):
    return run(build / "tests/offline/late", build / "tests/offline/driver.so", "--shim", plugin.parent / "pvboot-stub.elf",
               "--carrier", "pvboot entry=linux64 rng_seed=0", "--kernel", files / "bzimage", "--log", tmp_path / "log",
               "--memory", tmp_path / "memory", *more, plugin=plugin, **env)


def test_libxenguest_opened_later(build, plugin, domain, files, tmp_path):
    """... in a scope of its own: the same guest as in a program that is linked to it."""
    done = late(build, plugin, files, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "trying pvboot loader" in (tmp_path / "log").read_text()
    assert "phase load" in (tmp_path / "log").read_text()
    memory = (tmp_path / "memory").stat().st_blocks
    d = domain(carrier="pvboot entry=linux64 rng_seed=0", kernel=files / "bzimage")
    assert done.stdout == d.out and memory


@pytest.mark.parametrize("after", [False, True])
def test_children_of_a_program_that_opens_it_later(build, plugin, files, tmp_path, after):
    """Before it is there nothing tells the program from a shell in front of xl; from then on no child inherits us."""
    flag = ["--child-last"] if after else []
    done = late(build, plugin, files, tmp_path, *flag, PVBOOT_CHILD=str(tmp_path / "env"))
    assert done.returncode == 0, done.stderr
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert env.get("LD_PRELOAD", "") == ("" if after else str(plugin))
