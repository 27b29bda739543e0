# SPDX-License-Identifier: LGPL-2.1-only
"""One machine whose clock counts instructions, and single creations on it: timed, counted or traced."""

import contextlib
import re

from ..base import cc, packages, paths, ready
from ..base.errors import LabError
from ..machine import dom0, install
from ..machine.host import BY_INSTRUCTIONS, Host
from ..cases import xlcfg
from ..cases.case import Case
from . import stamps, xentrace

HERE = paths.REPO / "lab" / "bench"
SHIM = ("-shared", "-fPIC", "-fno-builtin")
USERLAND = "@@pvboot-begin"  # the first line of the guests' init
IDLE_SECONDS = 120
# Xen scrubs freed memory when it has nothing else to do, and a domain is given scrubbed pages faster.
_IDLE = f"""
for second in $(seq {IDLE_SECONDS}); do
    xl dmesg -c > /dev/null
    xl debug-keys H
    sleep 1
    xl dmesg > /tmp/heap
    grep -q 'heap\\[node' /tmp/heap || exit 71
    grep -q unscrubbed /tmp/heap || break
done
! grep unscrubbed /tmp/heap
"""
_GROUPS = """
mkdir -p /sys/fs/cgroup
grep -q ' /sys/fs/cgroup ' /proc/mounts || mount -t cgroup2 none /sys/fs/cgroup
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
"""
_CACHE = "mkdir -p /var/cache; grep -q ' /var/cache ' /proc/mounts || mount -t tmpfs cache /var/cache"
_NO_MONITORS = "while grep -qs 'bin/[x]l' /proc/[0-9]*/cmdline; do sleep 0.05; done"


class Bed:
    def __init__(self, host: Host, store: packages.Store) -> None:
        self.host, self.store = host, store
        self._tool = {name: host.put_once(path, f"{dom0.DIRECTORY}/{path.name}") for name, path in _tools().items()}
        host.check(_GROUPS)

    def place(self, case: Case, kernel: str, ramdisk: str) -> None:
        text = self.host.share / "files" / f"{case.name}.cfg"
        text.write_text(xlcfg.config(case, kernel, ramdisk))
        self.host.put(text, _config(case))

    def unpack(self, kernel: str) -> None:
        """Into the cache; its directory is, like all of this dom0's files, in memory."""
        self.host.check(f"{_CACHE}\npvboot cache add {kernel}")

    def idle(self) -> None:
        """Until Xen has scrubbed all that is free."""
        rc, out, err = self.host.run(_IDLE, timeout=600)
        if rc:
            raise LabError("Xen's heap cannot be looked at" if rc == 71 else f"Xen is not done scrubbing: {out}{err}")

    def timed(self, case: Case, userland: bool = False) -> dict:
        """One sample: seconds, and what little is seen in passing."""
        self.idle()
        until = f"--until /var/log/xen/console/guest-{case.name}.log {USERLAND}" if userland else ""
        said = self._run(f"rm -f /var/log/xen/console/guest-{case.name}.log\n"
                         + self.command(case, "time", until, paused=not userland))
        self.destroy(case)
        build = self.stamps()
        took = stamps.took(said)
        return {"create": took["create"], "builder": build.seconds, "phases": build.phases, "cpu": build.cpu,
                "xl_kib": build.xl_kib, "child_kib": build.child_kib, "processes": took["processes"],
                **({"userland": took["userland"]} if userland else {})}

    def counted(self, case: Case) -> dict[str, int]:
        """What one build took of other things than time."""
        self.idle()
        said = self._run(f"mkdir /sys/fs/cgroup/bench\n{self.command(case, 'count', '--group /sys/fs/cgroup/bench')}\n"
                         "echo \"@peak $(cat /sys/fs/cgroup/bench/memory.peak)\"")
        self.destroy(case)
        self.host.check("rmdir /sys/fs/cgroup/bench")
        peak = int(re.search(r"^@peak (\d+)$", said, re.M).group(1))
        return {**self.stamps().counts, "group_kib": peak // 1024}

    def traced(self, case: Case) -> dict[str, int]:
        """How often the whole dom0 entered Xen during one creation."""
        self.idle()
        self._run(f"""{self._tool['trace']} -D -S 1024 -e 0x0020f000 /tmp/trace & tracer=$!
sleep 1
{self.command(case, 'time')}; rc=$?
kill -TERM $tracer; wait $tracer
[ $rc = 0 ]""")
        self.destroy(case)
        entries = xentrace.read(self.host.get("/tmp/trace"))
        return {"xen_hypercalls": entries.hypercalls, "xen_irets": entries.irets, "xen_others": entries.others,
                "xen_lost": entries.lost}

    def at_once(self, cases: list[Case]) -> float:
        """Seconds until the last of these is there."""
        self.idle()
        all_of_them = " & ".join(self._xl(case, "time", paused=True, stamped="/dev/null") for case in cases)
        said = self._run(f"{self._tool['timed']} sh -c '{all_of_them} & wait'")
        self.destroy(*cases)
        return stamps.took(said)["create"]

    def destroy(self, *cases: Case) -> None:
        """All guests there are: no xl may be left to watch over one."""
        self.host.check(" && ".join([*(f"{install.STOCK_XL} destroy {case.name}" for case in cases), _NO_MONITORS]))

    def command(self, case: Case, shim: str, options: str = "", paused: bool = True) -> str:
        return f"{self._tool['timed']} {options} {self._xl(case, shim, paused)}"

    def stamps(self) -> stamps.Build:
        return stamps.parse(self.host.check("cat /tmp/stamps; rm /tmp/stamps"))

    def _xl(self, case: Case, shim: str, paused: bool, stamped: str = "/tmp/stamps") -> str:
        """Stock's xl with what we measure by in front, and the plugin behind that."""
        preload = self._tool[shim] + (f":{install.LIBDIR}/pvboot-xl.so" if case.needs_pvboot else "")
        return (f"env LD_PRELOAD={preload} PVBOOT_STAMPS={stamped} {install.STOCK_XL} create {'-p ' if paused else ''}"
                f"{_config(case)}")

    def _run(self, script: str) -> str:
        rc, out, err = self.host.run(script, timeout=900)
        if rc:
            raise LabError(f"exit {rc}: {(out + err).strip()[-400:]}")
        return out


def _tools():
    """What measures, by its short name; put into dom0 under its file's."""
    source = [HERE / "stamps.c"]
    return {"time": cc.built("stamps.so", source, *SHIM), "count": cc.built("stamps.so", source, *SHIM, "-DCOUNT"),
            "timed": cc.built("timed", [HERE / "timed.c"]), "trace": packages.xen_dirs()[-1] / "bin" / "xentrace"}


def _config(case: Case) -> str:
    return f"{dom0.DIRECTORY}/{case.name}.cfg"


@contextlib.contextmanager
def prepared(**machine):
    ready.ensure()
    store = packages.Store()
    host = Host(paths.made(paths.lab() / "bench") / "host", cpus=1, accelerator=BY_INSTRUCTIONS, **machine)
    try:
        print(f"booting Xen: {host.boot(store):.0f} s", flush=True)
        install.push(host)
        yield Bed(host, store)
    finally:
        host.stop()
