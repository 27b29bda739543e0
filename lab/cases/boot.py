# SPDX-License-Identifier: LGPL-2.1-only
"""One guest, from xl create to its evidence.  It starts paused, so that what it was handed can be looked at first."""

import io
import re
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

from ..base import tarball
from ..base.errors import LabError
from ..machine import install
from ..machine.host import Host
from ..machine.install import STOCK_XL
from ..guests import capabilities, evidence
from ..guests.evidence import Evidence
from ..judges import entry_state, handover, messages, readback
from . import expectations, kexec, tenant, variants, xlcfg
from .case import OURS, Case

DUMP = "/tmp/handed-over"
LONGEST_SECONDS = 600  # for a guest that keeps talking without coming to an end
DONE = None
ENDED = {1: "", 3: "the domain is gone", 4: "the domain has shut down or crashed"}  # by exit status of _look()


class Boot:
    def __init__(self, host: Host, case: Case, directory: Path, step: Callable[[str], None] = lambda text: None) -> None:
        self._step = step
        self.host = host
        self.case = case
        self.directory = directory
        self.xl = variants.xl(case, install.XL if case.needs_pvboot else STOCK_XL)
        self.domain = case.name
        self.seconds: dict[str, float] = {}
        self.evidence: Evidence | None = None
        # the in-guest stub fills the page where the toolstack cannot see it
        self._dumped = case.path in OURS and case.filled_by != "stub" and not case.refused and not case.example \
            and case.dumped

    def go(self, config: str, files: dict[str, bytes]) -> list[str]:
        """What is wrong, if anything.  `files`: kernel and ramdisk, to hold claims about them against."""
        (self.directory / "xl.cfg").write_text(config)
        keys = xlcfg.parse_config(config)
        self.domain = keys["name"]
        files = {**files, "cmdline": keys.get("cmdline", keys.get("extra", "")).encode()}
        if self.case.probe and self.case.filled_by == "stub":
            self._dump_of_toolstack()
        domid = capabilities.next_domid(self.host) if self.case.early else 0
        if self.case.tenant:
            tenant.prepare(self.host)
        if self.case.cached:
            self.host.check(f"mkdir -p /var/cache && pvboot cache add {keys['kernel']}")
        rc, said = self._create()
        if self.case.tenant:
            refusal = self._judge_refusal(rc, said) if rc or self.case.refused else []
            return refusal + tenant.wrong(self.host, self.domain, said)
        if rc or self.case.refused:
            return self._judge_refusal(rc, said) + self._judge_early(domid)
        if self._dumped:
            self._fetch_dump()
        if self.case.probe:
            return self._judge_probe(files)
        ports = self._ports()
        if self.case.mode == "kexec":
            kexec.note_nodes(self.host, self.domain, self.directory)
        started = self._uptime()
        self.host.check(f"{self.xl} unpause {self.domain}")
        problem = self._wait(1)
        self.seconds["guest"] = self._uptime() - started
        self._step(f"{problem or 'userland'} after {self.seconds['guest']:.1f} s")
        if not problem and self.case.action:
            problem = self._act()
        self._collect(problem is not None)
        if problem:
            return [problem]
        wrong = [*expectations.unmet(self.case, self.evidence), *self._compare(),
                 *variants.judge(self.case, self.evidence, self.directory / "dump"),
                 *self._judge_handover(keys, files, ports), *expectations.unpacked_elsewhere(self.case, said)]
        return wrong or (kexec.follow(self.host, self.case, self.directory) if self.case.mode == "kexec" else [])

    def destroy(self) -> None:
        self.host.run(f"{STOCK_XL} destroy {self.domain}; rm -rf {DUMP}")

    # --- creation -------------------------------------------------------------------------------------------------------

    def _create(self) -> tuple[int, str]:
        """Exit status of xl, and everything it said."""
        self.host.put(self.directory / "xl.cfg", self._config_file())
        more = f"'pvboot_dump=\"{DUMP}\"'" if self._dumped else ""
        rc, out, err = self.host.run(f"""
            rm -f {self._log()}
            read before _ < /proc/uptime
            {self.xl} -vvv create -p {self._config_file()} {more}
            rc=$?
            read after _ < /proc/uptime
            echo "@time $before $after"
            exit $rc""")
        (self.directory / "xl-create.txt").write_text(err + out)
        before, after = map(float, re.search(r"@time (\S+) (\S+)", out).groups())
        self.seconds["create"] = after - before
        self._step(f"xl create took {self.seconds['create']:.1f} s")
        return rc, err + out

    def _judge_refusal(self, rc: int, said: str) -> list[str]:
        wanted = self.case.refused
        if rc == 0:
            return [f"xl create succeeded; it should have said {wanted!r}"]
        if not wanted:
            return [f"xl create: exit {rc}: {messages.complaint(said)}"]
        return [] if re.search(wanted, said) else [f"xl create failed without saying {wanted!r}: {messages.complaint(said)}"]

    def _judge_early(self, domid: int) -> list[str]:
        """`domid`: the number of a domain that was made just before."""
        if not self.case.early or (now := capabilities.next_domid(self.host)) == domid + 1:
            return []
        return [f"refused, but not before a domain was made: Xen counted from {domid} to {now}"]

    def _config_file(self) -> str:
        return f"/root/{self.case.name}.cfg"

    def _dump_of_toolstack(self) -> None:
        """What the toolstack would have handed over where the stub is to do it."""
        self.host.put(self.directory / "xl.cfg", self._config_file())
        self.host.check(f"""{self.xl} create -p {self._config_file()} 'pvboot_entry="linux64"' 'pvboot_dump="{DUMP}"' &&
            xl destroy {self.domain}""")
        self._fetch_dump()

    def _fetch_dump(self) -> None:
        """What the plugin says that it handed over; kernel and ramdisk are told by their digests alone."""
        self.host.check(f"cd {DUMP} && rm -f kernel ramdisk && tar -cf /tmp/dump.tar .")
        with tarfile.open(fileobj=io.BytesIO(self.host.get("/tmp/dump.tar"))) as archive:
            tarball.extract(archive, self.directory / "dump")

    def _compare(self) -> list[str]:
        if not self._dumped:
            return []
        rows = readback.against_dump(self.directory / "dump", self.evidence, self.directory / "boot_params.bin")
        (self.directory / "compare.txt").write_text(readback.table(rows))
        return [f"{row.field}: planned {row.planned}, the guest reads back {row.seen}" for row in rows if row.wrong]

    def _judge_handover(self, keys: dict[str, str], files: dict[str, bytes], ports: dict[str, int]) -> list[str]:
        if not expectations.hands_over(self.case):
            return []
        given = handover.Given(self.case.filled_by, keys, files, ports)
        return handover.judge(self.evidence, given, self.directory / "node.bin")

    def _judge_probe(self, files: dict[str, bytes]) -> list[str]:
        domid = int(self.host.check(f"xl domid {self.domain}"))
        self.host.check(f"{self.xl} unpause {self.domain}")
        deadline = self.host.clock() + self.case.seconds
        while entry_state.DONE not in evidence.from_xen_log(self.host.log(), domid):
            if self.host.clock() > deadline:
                return [f"no end of the report within {self.case.seconds} s"]
            time.sleep(0.2)
        said = entry_state.report(self.host.log(), domid, self.directory / "probe.log")
        given = entry_state.Given(self.case.filled_by, self.case.vcpus, self.directory / "dump", files)
        return entry_state.judge(said, given)

    # --- the guest's life -----------------------------------------------------------------------------------------------

    def _wait(self, rounds: int) -> str | None:
        """Until the guest has printed its evidence so many times; or why it will not."""
        look = self._look_e9 if self.case.port_e9 else self._look
        started = silent_since = self.host.clock()
        last = None
        while (seen := look(rounds)) is not DONE:
            said, ended = seen
            now = self.host.clock()
            if said != last:
                silent_since, last = now, said
            if now - silent_since >= self.case.seconds:
                return f"no userland, and {self.case.seconds} s without a word"
            if now - started >= LONGEST_SECONDS:
                return f"no userland after {LONGEST_SECONDS} s"
            if ended:
                return ended
        return None

    def _look(self, rounds: int) -> tuple[int, str] | None:
        """For some seconds: how many bytes the guest has said, and whether it came to an end; DONE: all of it."""
        rc, out, err = self.host.run(f"""
            for i in 1 2 3 4 5 6 7 8; do
                [ "$(grep -c '^@@pvboot-done' {self._log()} 2>/dev/null)" -ge {rounds} ] 2>/dev/null && exit 0
                sleep 0.2
            done
            wc -c < {self._log()} 2>/dev/null || echo 0
            {STOCK_XL} list {self.domain} > /tmp/state 2>&1 || [ {rounds} -gt 1 ] || exit 3
            tail -n 1 /tmp/state | grep -q ' ...[sc].. ' && exit 4
            exit 1""")
        if rc == 0:
            return DONE
        if rc not in ENDED:
            raise LabError(f"waiting for {self.case.id}: exit {rc}: {err.strip()[-300:]}")
        return int(out), ENDED[rc]

    def _look_e9(self, rounds: int) -> tuple[str, str] | None:
        said = self._console()
        if evidence.rounds(said) >= rounds:
            return DONE
        time.sleep(0.5)
        return said, ""

    def _act(self) -> str | None:
        if self.case.action in ("restore", "move"):
            there = STOCK_XL if self.case.action == "move" else self.xl
            rc, out, err = self.host.run(f"""
                {self.xl} save {self.domain} /tmp/saved && {there} restore /tmp/saved
                rc=$?; rm -f /tmp/saved; exit $rc""", timeout=LONGEST_SECONDS)
            (self.directory / "xl-restore.txt").write_text(err + out)
            if rc:
                return f"xl save and restore: exit {rc}: {messages.complaint(err + out)}"
        verb = "shutdown" if self.case.action == "shutdown" else "reboot"
        self.host.check(f"{self.xl} {verb} {self.domain}")
        return self._wait_shutdown() if verb == "shutdown" else self._wait(2)

    def _wait_shutdown(self) -> str | None:
        deadline = self.host.clock() + self.case.seconds
        while self.host.run(f"{STOCK_XL} list {self.domain} | tail -n 1 | grep -q ' ...s.. '")[0]:
            if self.host.clock() > deadline:
                return f"still running {self.case.seconds} s after xl shutdown"
            time.sleep(1)
        return None

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

    def _ports(self) -> dict[str, int]:
        """The event channels libxl has bound for the domain's rings."""
        said = self.host.check(f"id=$(xl domid {self.domain}) &&"
                               " xenstore-read /local/domain/$id/console/port /local/domain/$id/store/port")
        return dict(zip(("console", "xenstore"), map(int, said.split())))

    def _uptime(self) -> float:
        return float(self.host.check("cat /proc/uptime").split()[0])
