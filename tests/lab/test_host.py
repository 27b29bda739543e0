# SPDX-License-Identifier: LGPL-2.1-only
"""The command channel and the watch over the machine, with a thread for dom0 and a sleeping process for QEMU."""

import json
import os
import subprocess
import threading
import time

import pytest

from lab.base.errors import HostDead, LabError, Timeout
from lab.machine import host as module
from lab.machine.clock import Clock
from lab.machine.host import Host


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A host whose machine is `sleep` and whose dom0 is a thread that answers by the script's first line."""
    monkeypatch.setattr(module, "PROBE_SECONDS", 0.5)
    host = Host(tmp_path)
    for name in ("in", "out", "files"):
        (host.share / name).mkdir(parents=True)
    (tmp_path / "qemu.log").write_text("")
    host.child = subprocess.Popen(["sleep", "60"])
    (tmp_path / "host.json").write_text(json.dumps({"pid": host.child.pid, "birth": module._birth(host.child.pid)}))
    over = threading.Event()
    thread = threading.Thread(target=dom0, args=(host.share, over), daemon=True)
    thread.start()
    yield host
    over.set()
    thread.join()
    host.child.kill()
    host.child.wait()


def dom0(share, over):
    while not over.wait(0.01):
        for request in share.glob("in/*.sh"):
            script = request.read_text().strip()
            request.unlink()
            if script == "hang" or (share / "deaf").exists():
                continue
            done = subprocess.run(["sh", "-c", script], capture_output=True)
            out = share / "out" / request.stem
            out.with_suffix(".out").write_bytes(done.stdout)
            out.with_suffix(".err").write_bytes(done.stderr)
            out.with_suffix(".new").write_text(f"{done.returncode}\n")
            out.with_suffix(".new").rename(out.with_suffix(".rc"))


def test_run_gives_status_and_both_streams_and_tidies_up(machine):
    assert machine.run("echo a; echo b >&2; exit 3") == (3, "a\n", "b\n")
    assert list(machine.share.glob("*/*")) == []


def test_check_raises_with_what_was_said(machine):
    assert machine.check("echo fine") == "fine\n"
    with pytest.raises(LabError, match="exit 7: echo no.*: no"):
        machine.check("echo no >&2; exit 7")


def test_a_late_job_on_a_machine_that_answers_is_a_timeout(machine):
    with pytest.raises(Timeout, match="no end after 0 s: hang"):
        machine.run("hang", timeout=0.1)
    assert machine.alive()
    assert [p.suffix for p in machine.share.glob("in/*")] == [".kill"]  # dom0 is told to end it


def test_a_job_is_not_late_while_its_machine_gets_no_processor(machine):
    starved = iter(range(0, 10**12, 10**9))
    machine.clock = Clock(lambda: {"vcpu": (0, next(starved))})
    started = time.monotonic()
    assert machine.run("sleep 1; echo late", timeout=0.3) == (0, "late\n", "")
    assert time.monotonic() - started > 1


def test_a_machine_that_does_not_answer_is_ended(machine):
    (machine.share / "deaf").touch()
    with pytest.raises(HostDead, match="no longer answers"):
        machine.run("true", timeout=0.1)
    assert not machine.alive()


def test_a_machine_that_ends_is_noticed_at_once_with_its_last_words(machine):
    machine.log_file.write_text("(XEN) Panic on CPU 0:\n(XEN) Reboot in five seconds...\n\n")
    threading.Timer(0.1, machine.child.kill).start()
    started = time.monotonic()
    with pytest.raises(HostDead, match="Reboot in five"):
        machine.run("hang", timeout=30)
    assert time.monotonic() - started < 5


def test_an_answer_that_came_before_the_end_still_counts(machine):
    job = machine.start("echo last")
    while not (machine.share / "out" / f"{job}.rc").exists():
        time.sleep(0.01)
    machine.stop()
    assert machine.finished(job) and machine.result(job) == (0, "last\n", "")


def test_another_process_with_the_same_number_is_not_ours(machine):
    state = {"pid": os.getpid(), "birth": "1"}
    (machine.dir / "host.json").write_text(json.dumps(state))
    assert not machine.alive()
    machine.stop()  # would otherwise end this test
    (machine.dir / "host.json").write_text("{")
    assert not machine.alive()


def test_put_and_get(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_in_dom0", lambda scratch: str(scratch))
    source = tmp_path / "tool"
    source.write_bytes(b"\0\1")
    source.chmod(0o755)
    machine.put(source, f"{tmp_path}/dom0/deep/tool")
    assert machine.get(f"{tmp_path}/dom0/deep/tool") == b"\0\1"
    assert os.access(tmp_path / "dom0/deep/tool", os.X_OK)
    assert list(machine.share.glob("files/*")) == []


def test_a_comma_in_a_file_name_does_not_end_it():
    assert module._module("/a,b") == "/a,,b"
