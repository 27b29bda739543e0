# SPDX-License-Identifier: LGPL-2.1-only
"""What is made from a record: HTML, TAP, JUnit; and the times in it."""

import argparse
import html.parser
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

from lab.flight import baseline, commands, htmlreport, judge, layout, model, stats, tap, timing
from lab.flight.host import marks
from lab.flight.model import Cell, Job
from lab.flight.record import Record, Writer

LINUX32 = "6.1/1cpu/256M/small/linux32"


class Checker(html.parser.HTMLParser):
    """Elements closed in order, targets of links, what refers to the outside."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.outside, self.text = [], set(), [], [], [""]
        self.joined = False  # a word goes on behind where it may be broken

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.joined = tag == "wbr"
        if tag not in {"meta", "br", "wbr"}:
            self.open.append(tag)
        self.ids.add(attrs.get("id"))
        if "href" in attrs:
            self.links.append(attrs["href"])
        self.outside += [value for name, value in attrs.items() if name in ("src", "data") or "//" in (value or "")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.joined:
            self.text[-1] += data
        else:
            self.text.append(data)
        self.joined = False


def rendered(record, before=None, logs=None, tmp_path=None) -> tuple[str, Checker]:
    text = htmlreport.render(judge.judge(record, before or {}), logs or {}, tmp_path)
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    return text, checker


def test_the_report_is_whole_and_needs_nothing_from_outside(record, tmp_path):
    text, page = rendered(record, tmp_path=tmp_path)
    assert page.outside == []
    inside = [link[1:] for link in page.links if link.startswith("#")]
    assert inside and page.ids.issuperset(inside)
    assert "url(" not in text and "@import" not in text and "prefers-color-scheme: dark" in text and "@media print" in text
    assert text.count("<svg") >= 5 and text.count("aria-label") >= 5
    words = " ".join(page.text)
    for expected in ("2 jobs executed", "0 unexplained differences", "PV: no Xen notes in the ELF", "the decompressor chooses",
                     "guest.zero_page.acpi_rsdp_addr", "address of 'RSD PTR '", "no verdict: 1 runs, 5 are needed"):
        assert expected in words, expected


def test_pictures_have_their_tables_and_every_job_its_place(record, tmp_path):
    text, page = rendered(record, tmp_path=tmp_path)
    for section in ("heat", "memory", "time", "fields", "registers"):
        part = re.search(rf'<section id="{section}">.*?</section>', text, re.S).group(0)
        assert "<svg" in part and "<table" in part, section
    assert {f"job-{job.cell.name}" for job in record.jobs.values()} <= page.ids


def test_hostile_text_stays_text(record, tmp_path):
    record.jobs[LINUX32].guest["dmesg"].append("<script>alert(1)</script>")
    record.jobs[LINUX32].reasons = ["</table><b>"]
    record.jobs[LINUX32].status = "fail"
    text, _ = rendered(record, tmp_path=tmp_path)
    assert "<script>alert" not in text and "</table><b>" not in text and "&lt;script&gt;" in text


def test_an_overlap_is_drawn(record, tmp_path):
    assert 'class="overlap"' not in rendered(record, tmp_path=tmp_path)[0]
    record.jobs[LINUX32].handover["ramdisk"]["gpa"] = 0x1000000
    text, _ = rendered(record, tmp_path=tmp_path)
    assert 'class="overlap"' in text and "overlap of ramdisk and kernel" in text


def test_a_look_is_red_and_named(record, tmp_path):
    record.jobs[LINUX32].guest["guest_type"] = "HVM"
    text, page = rendered(record, {LINUX32: {"status": "pass", "looks": []}}, tmp_path=tmp_path)
    assert 'class="LOOK"' in text and "m-LOOK" in text and 'class="banner bad"' in text
    assert "REGR: unexplained: guest.guest_type is HVM, xl-pvh has PVH" in " ".join(page.text)


def test_logs_are_linked_relative_to_the_report(record, tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "console.log").write_text("x")
    _, page = rendered(record, logs={LINUX32: tmp_path / "job"}, tmp_path=tmp_path / "out")
    assert "../job/console.log" in page.links


def test_tap_and_junit(record):
    record.jobs[LINUX32].status, record.jobs[LINUX32].reasons = "fail", ["collect: nproc is 2, expected 1"]
    outcome = judge.judge(record, {LINUX32: {"status": "pass", "looks": []}})
    lines = tap.tap(outcome).splitlines()
    assert lines[:2] == ["TAP version 13", "1..3"]
    assert [line for line in lines if re.match("(not )?ok", line)] == [
        "not ok 1 - 6.1/1cpu/256M/small/linux32", "ok 2 - 6.1/1cpu/256M/small/xl-pvh",
        "ok 3 - 686/1cpu/256M/small/xl-pv # SKIP blocked: PV: no Xen notes in the ELF"]
    suite = ET.fromstring(tap.junit(outcome).partition("?>")[2])
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "0", "skipped": "1"}
    assert suite.find("testcase/failure").get("message") == "REGR: collect: nproc is 2, expected 1"


@pytest.mark.parametrize("status, before, good", [("pass", "pass", True), ("fail", "pass", False), ("fail", "fail", True)])
def test_prove_reads_the_tap(record, tmp_path, status, before, good):
    """Passed, skipped, failed, and failed as before (TODO), with quotes and a hash in what is said."""
    if not shutil.which("prove"):
        pytest.skip("prove is not installed (Debian: perl)")
    record.jobs[LINUX32].status, record.jobs[LINUX32].reasons = status, ["collect: it's # \\ \"1\"\n: 2"]
    (tmp_path / "report.tap").write_text(tap.tap(judge.judge(record, {LINUX32: {"status": before, "looks": []}})))
    done = subprocess.run(["prove", "-v", "--exec", "cat", tmp_path / "report.tap"], capture_output=True, text=True)
    assert (done.returncode == 0) == good and "Parse errors" not in done.stdout + done.stderr
    assert "Tests=3" in done.stdout and ("Failed 1/3" in done.stdout + done.stderr) != good


@pytest.mark.parametrize("status, before, line", [
    ("pass", "pass", "2 passed, 0 failed, 1 skipped"),
    ("fail", "pass", "1 passed, 1 failed, 1 skipped"),
    ("fail", "fail", "1 passed, 0 failed, 1 like the baseline, 1 skipped"),
])
def test_the_closing_line_counts_what_failed_before_apart(record, status, before, line):
    record.jobs[LINUX32].status = status
    assert commands.closing_line(judge.judge(record, {LINUX32: {"status": before, "looks": []}})) == line


def test_an_accepted_flight_leaves_the_rest_of_the_baseline_alone(record, tmp_path):
    flown, kept, path = tmp_path / "flight", {"status": "fail", "looks": ["x"]}, tmp_path / "baseline.json"
    writer = Writer(flown, record.flight)
    for job in record.jobs.values():
        writer.add(job)
    path.write_text(json.dumps({"jobs": {"6.12/1cpu/256M/small/pvh": kept, LINUX32: kept}}))
    commands.report(argparse.Namespace(dir=[flown], out=tmp_path / "out", baseline=path, accept=True, claims=None))
    found = baseline.load(path)
    assert found.keys() == {*record.jobs, "6.12/1cpu/256M/small/pvh"}
    assert found["6.12/1cpu/256M/small/pvh"] == kept and found[LINUX32] == {"status": "pass", "looks": []}


def test_everything_is_written(record, tmp_path):
    commands.write(judge.judge(record, {}), [tmp_path], tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"report.html", "report.tap", "report.xml"}


def test_segments_come_from_the_capture(record):
    job = record.jobs[LINUX32]
    found = {s.name: (s.start, s.end) for s in layout.segments(job, record.flight["kernels"]["6.1"]) if not s.background}
    assert found["kernel"] == (0x1000000, 0x4000000)
    assert found["zero page"] == (0x100000, 0x101000)
    assert found["ramdisk"] == (0xfe00000, 0xfe01000)
    assert found["setup_data"] == (0x102000, 0x102000 + 16 + 64)
    assert layout.overlaps(layout.segments(job, record.flight["kernels"]["6.1"])) == []


SAID = """0.100 domainbuilder: detail: xc_dom_allocate: cmdline="pvboot entry=linux64", features=""
0.150 domainbuilder: detail: xc_dom_parse_image: called
0.400 domainbuilder: detail: pvboot: domain 5 phase digest 240000 us
0.450 domainbuilder: detail: xc_dom_mem_init: mem 256 MB
0.500 domainbuilder: detail: xc_dom_build_image: called
0.900 domainbuilder: detail: xc_dom_boot_image: called
1.000 domainbuilder: detail: xc_dom_release: called
1.500 @rc 0
"""


def test_phases_of_the_toolstack_add_up():
    phases = timing.toolstack(SAID)
    assert phases["builder: digest"] == 0.24
    assert phases["create"] == 1.5 == pytest.approx(sum(phases[name] for name in timing.TOOLSTACK))
    assert phases["copy"] == pytest.approx(0.4)
    assert timing.toolstack(SAID.replace("xc_dom_boot_image", "x")) == {}


def test_marks_of_one_domain():
    log = ("(XEN) [    9.000000] x\n(d5) [   10.500000] [    0.000000] Linux version 6.1\r\n(d51) [   11.0] no\n"
           "(d5) [   14.500000] @@pvboot-mark init@@\n(d5) [   15.000000] @@pvboot-mark done@@\n")
    assert timing.guest(marks(log, 5), 9.5) == {"enter and unpack": 1.0, "start_kernel": 4.0, "init": 0.5, "guest": 5.0}
    assert timing.guest(marks(log, 51), 9.5) == {}


def test_a_line_longer_than_xens_buffer_is_one_line():
    log = (f"(d5) [    1.0] {'a' * 199}\r\n(d6) [    1.0] x\n(d5) [    1.1] bc\n"
           f"(d5) [    1.2] {'d' * 199}\n(d5) [    1.3] \n(d5) [    1.4] e\n")
    assert marks(log, 5) == [(1.0, "a" * 199 + "bc"), (1.2, "d" * 199), (1.4, "e")]


def runs(*values: float) -> stats.Sample:
    return stats.sample(list(values))


@pytest.mark.parametrize("a, b, words", [
    ((1, 1, 1, 1), (2, 2, 2, 2), "no verdict: 4 runs, 5 are needed"),
    ((1, 1, 1, 1, 1), (2, 2, 2, 2, 2), "1.00 s slower (x2.00)"),
    ((2, 2, 2, 2, 2), (1, 1, 1, 1, 1), "1.00 s faster (x0.50)"),
    ((1, 2, 3, 4, 5), (2, 3, 4, 5, 6), "no verdict: within the noise"),
    ((1, 1, 1, 1, 1), (1.04, 1.04, 1.04, 1.04, 1.04), "no verdict: within the noise"),
])
def test_verdicts_need_runs_and_distance(a, b, words):
    assert stats.verdict(runs(*a), runs(*b)) == words


def test_repeats_replace_the_single_run():
    record = Record({}, {})
    for number, seconds in ((0, 9.0), (1, 1.0), (2, 2.0), (3, 6.0)):
        job = Job(Cell("6.1", "pvh", round=number), model.PASS, times={"create": seconds})
        record.jobs[job.cell.id] = job
    record.jobs["x"] = Job(Cell("6.1", "pvh", round=4), model.FAIL, times={"create": 99.0})
    sample = stats.by_group(record)["6.1/1cpu/256M/small"]["pvh"]["create"]
    assert (sample.n, sample.median, sample.mad) == (3, 2.0, 1.0)
