# SPDX-License-Identifier: LGPL-2.1-only
"""The command line as people use it: several files, standard input, a terminal's width; and its JSON against the schema."""
import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import termios

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def page(pvboot, kernel, tmp_path):
    """page(options) is a zero page."""
    def make(*options):
        where = tmp_path / f"dump{len(list(tmp_path.iterdir()))}"
        pvboot.ok("dump", "--entry", "linux64", *options, "-o", where, kernel)
        return where / "zero-page"
    return make


def test_several_images(pvboot, kernel, elf):
    text = pvboot.ok("inspect", kernel, elf)
    assert text == pvboot.ok("inspect", kernel) + "\n" + pvboot.ok("inspect", elf)
    images = pvboot.json("inspect", kernel, elf)["images"]
    for path, image in zip((kernel, elf), images):
        assert image.pop("file") == str(path)
        assert image == {k: v for k, v in pvboot.json("inspect", path).items() if k != "json_version"}


def test_one_that_is_refused_does_not_stop_the_others(pvboot, kernel, elf, tmp_path):
    (tmp_path / "text").write_text("no kernel\n" * 99)
    done = pvboot("inspect", "/x/absent", kernel, tmp_path / "text", elf)
    assert done.returncode == 66 and done.stdout.count("entries:") == 2
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["unreadable", "unsupported"]
    done = pvboot("inspect", "--json", "/x/absent", kernel)
    assert [i.get("error", {}).get("exit") for i in json.loads(done.stdout)["images"]] == [66, None]


@pytest.fixture
def newest():
    """By sort -V; None: there is no kernel in /boot."""
    kernels = "\n".join(str(k) for k in pathlib.Path("/boot").glob("vmlinuz-*"))
    return kernels and subprocess.run(["sort", "-V"], input=kernels, capture_output=True, text=True).stdout.split()[-1]


@pytest.mark.parametrize("words", [["inspect"], ["plan"], ["dump", "-o"]], ids=lambda words: words[0])
def test_latest(pvboot, newest, tmp_path, words):
    if words[-1] == "-o":
        words = [*words, tmp_path / "dump"]
    if not newest:
        done = pvboot(*words, "--latest")
        assert done.returncode == 66 and done.stderr == "pvboot: unreadable: no vmlinuz-* in /boot\n"
        return
    shown, named = pvboot.ok(*words, "--latest"), pvboot.ok(*words, newest)
    assert shown == named and (words[0] != "inspect" or shown.startswith(f"{newest}\n"))


@pytest.mark.parametrize("words", [["inspect"], ["plan"], ["dump", "-o", "/proc/none"]], ids=lambda words: words[0])
def test_latest_and_another(pvboot, kernel, words):
    done = pvboot(*words, "--latest", kernel)
    assert (done.returncode, done.stderr) == (64, f"pvboot: usage: --latest and '{kernel}' are one too much\n")


def test_latest_instead_of_a_configurations(pvboot, newest, tmp_path):
    config = tmp_path / "guest.cfg"
    config.write_text('builder="pvboot"\nkernel="/x/absent"\nmemory=300\nextra="of the configuration"\n')
    if not newest or "built without" in pvboot("plan", "--config", config).stderr:
        pytest.skip("no kernel in /boot, or built without libxlutil")
    plan = pvboot.json("plan", "--config", config, "--latest")
    assert plan["memory_bytes"] == 300 << 20
    assert plan == pvboot.json("plan", "--memory", "300", "--cmdline", "of the configuration", newest)


def test_standard_input(pvboot, kernel):
    def piped(*args, data=kernel.read_bytes()):
        return subprocess.run([pvboot.path, *args, "-"], input=data, capture_output=True)
    assert json.loads(piped("inspect", "--json").stdout) == pvboot.json("inspect", kernel)
    assert piped("plan").stdout.decode() == pvboot.ok("plan", kernel)
    assert (piped("inspect", data=b"").returncode, piped("inspect", data=b"x" * 9999).returncode) == (66, 67)
    over = piped("inspect", "--kernel-max", "1", data=bytes((1 << 20) + 1))
    assert over.returncode == 68 and b"standard input: more than 1048576 bytes" in over.stderr


def test_help_and_version(pvboot):
    assert pvboot.ok("-V") == pvboot.ok("--version")
    assert pvboot.ok("help") == pvboot.ok("--help") == pvboot.ok("-h")
    for verb in re.findall(r"^  pvboot ([a-z]+) ", pvboot.ok("--help"), re.M):
        if verb != "help":
            assert f"  pvboot {verb} " in pvboot.ok("help", verb)


def test_names_and_units(pvboot, kernel, page):
    text = pvboot.ok("inspect", kernel)
    assert "loadflags                1 (LOADED_HIGH)" in text and "(XLF_KERNEL_64" in text
    assert re.search(r"bytes +0x1000000 \(16777216\) = 16\.0 MiB|bytes +0x[0-9a-f]+ \(\d+\) = \d+\.\d MiB", text)
    assert "0x91 (145) (Xen: pvboot's toolstack side)" in pvboot.ok("decode", "--zero-page", page())


def on_terminal(columns, *args):
    """What a terminal of that width shows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([*map(str, args)], stdout=slave, stdin=subprocess.DEVNULL) as child:
        os.close(slave)
        shown = b""
        while True:
            try:
                more = os.read(master, 65536)
            except OSError:
                break
            if not more:
                break
            shown += more
        child.wait(60)
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_folds_at_the_terminals_width(pvboot, elf, columns):
    """The same words, and no colours; what is no terminal gets whole lines."""
    whole = pvboot.ok("inspect", elf)
    shown = on_terminal(columns, pvboot.path, "inspect", elf)
    reasons = shown[shown.index("entries:"):]
    assert max(map(len, reasons.splitlines())) <= columns < max(map(len, whole.splitlines())) or columns == 200
    assert shown.split() == whole.split() and "\x1b" not in shown


def test_diff(pvboot, page):
    a, same, b = page(), page(), page("--cmdline", "quiet", "--memory", 600)
    assert pvboot.ok("diff", a, same) == pvboot.ok("diff", a.parent, same.parent) == ""
    done = pvboot("diff", a, b)
    assert done.returncode == 1 and done.stderr == ""
    changed = {line.split(": ")[0] for line in done.stdout.splitlines()}
    pages = a.read_bytes(), b.read_bytes()
    assert "e820_table" in changed and ("cmd_line_ptr" in changed) == (pages[0][0x228:0x22c] != pages[1][0x228:0x22c])
    done = pvboot("diff", "--json", a.parent, b.parent)
    found = {d["key"]: (d.get("a"), d.get("b")) for d in json.loads(done.stdout)["differences"]}
    assert done.returncode == 1 and found["memory_bytes"] == (1 << 30, 600 << 20) and "zero_page.e820_table" in found


@pytest.mark.parametrize("code, words, says", [
    (64, ["A"], "there are 1"), (64, ["A", "A", "A"], "there are 3"), (66, ["A", "/x/absent"], "/x/absent"),
    (65, ["A", "K"], "no zero page"), (66, ["D", "/x"], "/x/manifest.json"),
])
def test_diff_refused(pvboot, page, kernel, code, words, says):
    a = page()
    done = pvboot("diff", *[{"A": a, "K": kernel, "D": a.parent}.get(w, w) for w in words])
    assert done.returncode == code and says in done.stderr and done.stdout == ""


def test_the_running_machine(pvboot):
    source = pathlib.Path("/sys/kernel/boot_params/data")
    if not source.exists():
        pytest.skip("this kernel shows no boot_params")
    seen = pvboot.json("decode", "--running")
    assert seen == pvboot.json("decode", "--zero-page", source) and seen["bytes"] == 4096


# --- JSON -------------------------------------------------------------------------------------------------------------------

def outputs(pvboot, kernel, elf, page, tmp_path):
    config = tmp_path / "guest.cfg"
    config.write_text(f'builder="pvboot"\nkernel="{kernel}"\n')
    a = page()
    yield from (["inspect", kernel], ["inspect", elf], ["inspect", kernel, "/x/absent"], ["plan", kernel], ["plan", "--memory", "3", kernel],
                ["plan", "--entry", "linux32", "--ramdisk", kernel, kernel], ["check", config, "/x/absent"], ["inspect"],
                ["inspect", "/x/absent"], ["decode", "--zero-page", a], ["diff", a, page("--memory", "600")],
                ["decode", "--check", "--zero-page", kernel], ["decode", "--setup-data", a, "--type", "9"])


def test_json_is_what_the_schema_says(pvboot, kernel, elf, page, tmp_path):
    jsonschema = pytest.importorskip("jsonschema", reason="no python3-jsonschema")
    schema = json.loads((ROOT / "docs/pvboot.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    for words in outputs(pvboot, kernel, elf, page, tmp_path):
        done = pvboot(words[0], "--json", *words[1:])
        seen = json.loads(done.stdout)
        judge.validate(seen)
        assert seen["json_version"] == 1 and (done.returncode < 64 or done.stderr or words[0] == "check"), words
        with pytest.raises(jsonschema.ValidationError):
            judge.validate({**seen, "json_version": 2})
        del seen[next(k for k in seen if k != "json_version")]
        with pytest.raises(jsonschema.ValidationError):
            judge.validate(seen)


def test_errors_as_json(pvboot):
    done = pvboot("inspect", "--json", "/x/absent")
    assert json.loads(done.stdout) == {"json_version": 1, "error": {
        "class": "unreadable", "exit": 66, "file": "/x/absent", "text": "open: No such file or directory"}}
    assert done.stderr == "pvboot: unreadable: /x/absent: open: No such file or directory\n"
    assert json.loads(pvboot("plan", "--json", "--frob").stdout)["error"]["class"] == "usage"
