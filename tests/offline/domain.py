# SPDX-License-Identifier: LGPL-2.1-only
"""One run of the driver: what it said, what libxenguest logged, what lies in guest memory."""
import errno
import os
import re
import subprocess

PAGE = 4096
MEMORY = 16 << 30  # behind it the fake keeps what it knows of each page
SCRUB = b"\xc2"


class Domain:
    """@preload None: stock.  @under: a command to run it under, @env: more of its environment.  Other keywords are the
    driver's options; True: a flag."""

    def __init__(self, driver, tmp_path, *, preload, kind="shim", under=(), env=None, **options):
        self.memory_path = tmp_path / "memory"
        log = tmp_path / "log"
        options.update(kind=kind, memory=self.memory_path, log=log)
        if kind != "shim":
            options.pop("shim", None)
        command = [*under, driver]
        for key, value in options.items():
            command.append("--" + key.replace("_", "-"))
            if value is not True:
                command.append(str(value))
        env = (env or {}) | ({"LD_PRELOAD": str(preload)} if preload else {})
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1), f"driver ended with {done.returncode}: {done.stderr}"
        self.out, self.err, self.log = done.stdout, done.stderr, log.read_text()
        self.built = done.returncode == 0

    def facts(self, word):
        return [line.split()[1:] for line in self.out.splitlines() if line.split()[0] == word]

    @property
    def refusal(self):
        """Our one line, and nothing of ours beside it."""
        lines = [line for line in self.err.splitlines() if "pvboot" in line]
        assert len(lines) == 1 and lines[0].startswith("pvboot: "), self.err
        return lines[0]

    @property
    def registers(self):
        return {name: int(value, 0) for name, value in self.facts("reg")}

    @property
    def params(self):
        return {int(index): int(value, 0) for index, value in self.facts("param")}

    @property
    def e820(self):
        return [(int(a, 0), int(a, 0) + int(n, 0), int(t)) for a, n, t in self.facts("e820")]

    @property
    def loaders(self):
        """Which of libxenguest's loaders were asked, in order."""
        return re.findall(r"trying (.*) loader", self.log)

    def memory(self, gpa, n):
        with open(self.memory_path, "rb") as f:
            f.seek(gpa)
            return f.read(n)

    def touched(self):
        """[start, end) of what was mapped at any time; the rest was never looked at."""
        runs = []
        with open(self.memory_path, "rb") as f:
            at = 0
            while True:
                try:
                    start = os.lseek(f.fileno(), at, os.SEEK_DATA)
                except OSError as e:
                    assert e.errno == errno.ENXIO
                    return runs
                if start >= MEMORY:
                    return runs
                at = os.lseek(f.fileno(), start, os.SEEK_HOLE)
                runs.append((start, at))

    def content(self):
        """All of memory that is not as the host left it: {page's gpa: bytes}."""
        pages = {}
        for start, end in self.touched():
            data = self.memory(start, end - start)
            for off in range(0, end - start, PAGE):
                page = data[off:off + PAGE]
                if page not in (SCRUB * PAGE, bytes(PAGE)):
                    pages[start + off] = page
        return pages
