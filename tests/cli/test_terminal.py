# SPDX-License-Identifier: LGPL-2.1-only
"""What a file is called, or says, does not reach the terminal: printable ASCII and newlines are all that is printed."""
import json
import os
import subprocess

import pytest

# ESC, BEL, newline, DEL, C1's CSI, invalid UTF-8, a backslash, an escape that is none
HOSTILE = b"x\x1b[2J\x07\n\x7f\x9b\xff\\\\x1b"
SHOWN = rb"x\x1b[2J\x07\x0a\x7f\x9b\xff\\\\x1b"
PRINTED = set(range(0x20, 0x7f)) | {0x0a}


@pytest.fixture
def scene(pvboot, tmp_path):
    """run(words): a letter is a file, each with a hostile name: K kernel, V its version is hostile too, E an ELF whose
    notes are, T no kernel, N nothing, R a ramdisk, P a zero page, D a directory to make, F one that is a file, H a text."""
    import images
    content = {b"K": images.bzimage(), b"V": images.bzimage(version=HOSTILE.decode("latin-1")), b"T": b"no kernel\n" * 99,
               b"E": images.elf(images.xen_notes(images.LOAD) + images.note("Xen", 6, HOSTILE + b"\0")),
               b"R": b"ramdisk", b"P": bytes(4096), b"F": b"", b"N": None, b"D": None}
    top = os.fsencode(tmp_path)
    names = {letter: top + b"/" + letter + HOSTILE for letter in content}
    names[b"H"] = HOSTILE
    for letter, data in content.items():
        if data is not None:
            with open(names[letter], "wb") as f:
                f.write(data)

    def run(words, **env):
        args = [names.get(word, word) for word in words.encode().split()]
        return subprocess.run([pvboot.path, *args], capture_output=True, timeout=60, env={**os.environ, **env})
    return run


ROWS = [  # exit code, words, does it name the file?
    (0, "inspect K", True), (0, "inspect V", True), (0, "inspect E", True), (67, "inspect T", True), (66, "inspect N", True),
    (66, "inspect K H", True), (64, "inspect --sandbox H K", False), (64, "H", False), (64, "inspect --H K", False),
    (0, "plan --ramdisk R K", False), (67, "plan T", True), (66, "plan --ramdisk N K", True), (69, "plan --memory 3 K", True),
    (64, "plan --entry H K", False), (64, "plan --memory H K", False), (64, "plan --cmdline H K", False),
    (64, "plan --subarch H K", False), (64, "plan --rng-seed H K", False), (64, "plan --hypervisor H K", False),
    (67, "plan --entry linux64 E", True), (67, "plan --entry vmlinux64 E", True),
    (0, "dump -o D K", False), (71, "dump -o F K", True), (67, "dump -o D T", True),
    (0, "decode --zero-page P", False), (66, "decode --zero-page N", True), (65, "decode --check --zero-page P", True),
    (65, "decode --check --start-info T", True), (0, "decode --setup-data T --type 9", False),
    (0, "decode --setup-data T --base 0x1000", False), (64, "decode --zero-page P --base H", False),
]


@pytest.mark.parametrize("code,words,named", ROWS, ids=[r[1] for r in ROWS])
def test_only_printable(scene, code, words, named):
    done = scene(words)
    assert done.returncode == code, done
    assert set(done.stdout + done.stderr) <= PRINTED, done
    assert done.stderr.count(b"\n") == (code != 0)
    assert (SHOWN in done.stdout + done.stderr) or not named, done


@pytest.mark.parametrize("words", [r[1] for r in ROWS if r[0] in (0, 65)])
def test_json_is_json(scene, words):
    verb, rest = words.split(" ", 1)
    done = scene(f"{verb} --json {rest}")
    assert set(done.stdout + done.stderr) <= PRINTED, done
    json.loads(done.stdout)


def test_json_of_several_names_each(scene):
    """Also where its name is no UTF-8."""
    for words, files in (("inspect --json K V", b"KV"), ("inspect --json N K", b"NK")):
        images = json.loads(scene(words).stdout)["images"]
        assert [i["file"].encode().rsplit(b"/", 1)[1] for i in images] == [bytes([f]) + SHOWN for f in files]


def test_what_a_kernel_says(scene):
    """Once, and told from one whose version has a backslash where this one has ESC."""
    for words, shown in (("inspect V", SHOWN), ("inspect E", SHOWN), ("plan --entry vmlinux64 E", SHOWN)):
        done = scene(words)
        text = (done.stdout + done.stderr).replace(rb"E" + SHOWN, b"").replace(rb"V" + SHOWN, b"")
        assert shown.split(b"[2J")[0] in text and rb"\\x1b[2J" not in text, done


def test_sandbox_of_the_environment(scene):
    done = scene("inspect K", PVBOOT_SANDBOX="\x1b[2J\n")
    assert done.returncode == 64 and set(done.stderr) <= PRINTED and rb"\x1b[2J\x0a" in done.stderr
