# SPDX-License-Identifier: LGPL-2.1-only
"""One guest, from xl create to its evidence.  It starts paused, so that what it was handed can be looked at first."""

import re
import time
from pathlib import Path

from . import cases, evidence, push
from .cases import Case
from .errors import HostDead, LabError
from .evidence import Evidence
from .host import Host

STOCK_XL = "/usr/sbin/xl"


class Attempt:
    def __init__(self, host: Host, case: Case, directory: Path) -> None:
        self.host = host
        self.case = case
        self.directory = directory
        self.xl = push.XL if case.needs_pvboot else STOCK_XL
        self.domain = case.name
        self.seconds: dict[str, float] = {}
        self.evidence: Evidence | None = None

    def go(self, config: str) -> list[str]:
        """What is wrong, if anything."""
        (self.directory / "xl.cfg").write_text(config)
        self.domain = cases.parse_config(config)["name"]
        rc, said = self._create()
        if rc or self.case.refused:
            return self._judge_refusal(rc, said)
        started = self._uptime()
        self.host.check(f"{self.xl} unpause {self.domain}")
        problem = self._wait(1)
        self.seconds["guest"] = self._uptime() - started
        if not problem and self.case.action:
            problem = self._act()
        self._collect(problem is not None)
        if problem:
            return [problem]
        return expectations(self.case, self.evidence)

    def destroy(self) -> None:
        self.host.run(f"{STOCK_XL} destroy {self.domain}")

    # --- creation -------------------------------------------------------------------------------------------------------

    def _create(self) -> tuple[int, str]:
        """Exit status of xl, and everything it said."""
        self.host.put(self.directory / "xl.cfg", f"/root/{self.case.name}.cfg")
        rc, out, err = self.host.run(f"""
            rm -f {self._log()}
            read before _ < /proc/uptime
            {self.xl} -vvv create -p /root/{self.case.name}.cfg
            rc=$?
            read after _ < /proc/uptime
            echo "@time $before $after"
            exit $rc""")
        (self.directory / "xl-create.txt").write_text(err + out)
        before, after = map(float, re.search(r"@time (\S+) (\S+)", out).groups())
        self.seconds["create"] = after - before
        return rc, err + out

    def _judge_refusal(self, rc: int, said: str) -> list[str]:
        wanted = self.case.refused
        if rc == 0:
            return [f"xl create succeeded; it should have said {wanted!r}"]
        if not wanted:
            return [f"xl create: exit {rc}: {complaint(said)}"]
        return [] if re.search(wanted, said) else [f"xl create failed without saying {wanted!r}: {complaint(said)}"]

    # --- the guest's life -----------------------------------------------------------------------------------------------

    def _wait(self, rounds: int) -> str | None:
        """Until the guest has printed its evidence so many times; or why it will not."""
        if self.case.port_e9:
            return self._wait_e9(rounds)
        rc, _, _ = self.host.run(f"""
            end=$(($(date +%s) + {self.case.seconds}))
            while [ $(date +%s) -lt $end ]; do
                for i in 1 2 3 4 5 6 7 8; do
                    [ "$(grep -c '^@@pvboot-done' {self._log()} 2>/dev/null)" -ge {rounds} ] 2>/dev/null && exit 0
                    sleep 0.2
                done
                {STOCK_XL} list {self.domain} > /tmp/state 2>&1 || [ {rounds} -gt 1 ] || exit 3
                tail -n 1 /tmp/state | grep -q ' ...[sc].. ' && exit 4
            done
            exit 5""", timeout=self.case.seconds + 30)
        if rc not in _WAITED:
            raise LabError(f"waiting for {self.case.id}: exit {rc}")
        return _WAITED[rc].format(seconds=self.case.seconds) or None

    def _wait_e9(self, rounds: int) -> str | None:
        deadline = time.monotonic() + self.case.seconds
        while evidence.rounds(self._console()) < rounds:
            if time.monotonic() > deadline:
                return _WAITED[5].format(seconds=self.case.seconds)
            if not self.host.alive():
                raise HostDead("the machine ended")
            time.sleep(0.5)
        return None

    def _act(self) -> str | None:
        if self.case.action == "restore":
            rc, out, err = self.host.run(f"""
                {self.xl} save {self.domain} /tmp/saved && {self.xl} restore /tmp/saved
                rc=$?; rm -f /tmp/saved; exit $rc""", timeout=self.case.seconds)
            (self.directory / "xl-restore.txt").write_text(err + out)
            if rc:
                return f"xl save and restore: exit {rc}: {complaint(err + out)}"
        verb = "shutdown" if self.case.action == "shutdown" else "reboot"
        self.host.check(f"{self.xl} {verb} {self.domain}")
        return self._wait_shutdown() if verb == "shutdown" else self._wait(2)

    def _wait_shutdown(self) -> str | None:
        rc, _, _ = self.host.run(f"""
            for i in $(seq {self.case.seconds}); do
                {STOCK_XL} list {self.domain} | tail -n 1 | grep -q ' ...s.. ' && exit 0
                sleep 1
            done
            exit 1""", timeout=self.case.seconds * 2 + 30)
        return f"still running {self.case.seconds} s after xl shutdown" if rc else None

    # --- what is kept ---------------------------------------------------------------------------------------------------

    def _collect(self, failed: bool) -> None:
        console = self._console()
        (self.directory / "console.log").write_text(console)
        _, listing, _ = self.host.run(f"{STOCK_XL} list -l {self.domain}")
        (self.directory / "xl-list.json").write_text(listing)
        if failed:
            _, state, _ = self.host.run(f"xl list; /usr/lib/xen-*/bin/xenctx -a $(xl domid {self.domain});"
                                        f" tail -n 50 /var/log/xen/xl-{self.domain}.log")
            (self.directory / "state.txt").write_text(state)
            return
        self.evidence = evidence.parse(console)
        evidence.save(self.evidence, self.directory)

    def _log(self) -> str:
        return f"/var/log/xen/console/guest-{self.domain}.log"

    def _console(self) -> str:
        if self.case.port_e9:
            domid = self.host.check(f"{STOCK_XL} domid {self.domain}")
            return evidence.from_xen_log(self.host.log(), int(domid))
        rc, out, _ = self.host.run(f"cat {self._log()}")
        return out if rc == 0 else ""

    def _uptime(self) -> float:
        return float(self.host.check("cat /proc/uptime").split()[0])


_WAITED = {0: "", 3: "the domain is gone", 4: "the domain has shut down or crashed", 5: "no userland after {seconds} s"}


def complaint(said: str) -> str:
    """The line of xl's output that tells why: ours, else its first error."""
    for pattern in (r"^.*pvboot: \w+: .*$", r"^.*(?:xc: error|libxl: error|xl: ).*$", r"^.*(?:rror|nvalid).*$"):
        match = re.search(pattern, said, re.M)
        if match:
            return match.group(0).strip()
    lines = said.strip().splitlines()
    return lines[-1] if lines else "without a word"


def expectations(case: Case, found: Evidence) -> list[str]:
    """What the guest says of itself that is not what the case asked for."""
    wrong = []
    guest_type = found.tree("hypervisor").get("guest_type")
    kind = "PV" if case.path == "xl-pv" else "PVH"
    if case.guest_kernel.xen and guest_type != kind:
        wrong.append(f"guest_type is {guest_type!r}, expected {kind!r}")
    if found.text("nproc").strip() != str(case.vcpus):
        wrong.append(f"{found.text('nproc').strip()} vCPUs are up, expected {case.vcpus}")
    if "KHZ" not in case.cmdline and case.cmdline not in found.text("cmdline"):
        wrong.append(f"/proc/cmdline is {found.text('cmdline').strip()[:200]!r}")
    return wrong
