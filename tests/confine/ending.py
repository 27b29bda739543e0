# SPDX-License-Identifier: LGPL-2.1-only
"""How each run of pvboot on somebody else's kernel has to end, whatever the kernel."""
import ctypes
import json
import os
import re

from kernels import pvboot

# include/pvboot/error.h: what can be wrong with a kernel; all else would be a bug of ours or the host's affair
CLASSES = {65: "malformed", 66: "unreadable", 67: "unsupported", 68: "limit", 69: "nofit"}
PR_SET_CHILD_SUBREAPER = 36


def well_said(code, out, err):
    """What is wrong with it, or nothing."""
    if not code:
        return "says more than its answer" if err or not isinstance(json.loads(out), dict) else ""
    if code not in CLASSES:
        return "no class of a kernel's"
    if out and not refused(code, json.loads(out)):
        return "an answer in spite of the refusal"
    line = re.fullmatch(rb"pvboot: (\w+): [ -~]+\n", err)
    return "" if line and line[1].decode() == CLASSES[code] else f"not one printable line of class {CLASSES[code]}"


def refused(code, said):
    """Is it what --json prints of a refusal, and nothing else?"""
    error = said.get("error", {})
    return said.keys() == {"json_version", "error"} and (error.get("class"), error.get("exit")) == (CLASSES[code], code)


def entries(directory):
    """Names, and what would show that a file has been written to."""
    return {e.name: (e.stat().st_size, e.stat().st_mtime_ns) for e in os.scandir(directory)}


class Judge:
    """Runs pvboot in @directory, which no run may change; who is left without a parent becomes our child."""

    def __init__(self, directory):
        self.directory, self.name, self.before = directory, "", {}

    def __enter__(self):
        self._adopt(1)
        return self

    def __exit__(self, *_):
        self._adopt(0)

    @staticmethod
    def _adopt(yes):
        assert not ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, yes, 0, 0, 0), ctypes.get_errno()

    def look(self, name):
        """From here on it is about the kernel @name, which is in its place."""
        self.name, self.before = name, entries(self.directory)

    def __call__(self, *args):
        ended = pvboot(*args, cwd=self.directory)
        wrong = well_said(*ended)
        assert not wrong, (self.name, wrong, ended)
        assert entries(self.directory) == self.before, f"{self.name}: something new in the directory"
        try:
            left = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        raise AssertionError(f"{self.name}: a child is left: {left}")
