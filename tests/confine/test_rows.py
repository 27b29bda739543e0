# SPDX-License-Identifier: LGPL-2.1-only
"""Each image that the unit tests show the parser, with and without the sandbox, through the command: the class and the
text that the unit test holds the parser to, in its one line."""
import collections
import os
import re
import subprocess

import pytest

from ending import CLASSES, Judge
from kernels import BUILD, ROOT

PROGRAMS = sorted(p.stem for pattern in ("test_image_*.c", "test_codec*.c") for p in (ROOT / "tests/unit").glob(pattern))
ALIKE = 12  # of images refused for the same reason but for the numbers in it: a unit test cuts one at every length
SHOW = {"parse": ["inspect", "--json"], "unpack": ["plan", "--json", "--entry", "vmlinux64", "--memory", "4096"]}
PLANNERS = {0, 67, 69}  # of what is unpacked, planning may still say that it is none for this entry, or find no room


def reason(path):
    program, _, call, code = path.name.split("-")
    return call, code, re.sub(r"\d[\da-f]*", "#", path.with_name(path.name + ".says").read_text())


def chosen(directory):
    """{image: (call, code)}; each but once, and of those for the same reason a few, from the first to the last."""
    groups = collections.defaultdict(dict)
    for path in sorted((p for p in directory.iterdir() if p.suffix != ".says"), key=lambda p: int(p.name.split("-")[1])):
        groups[reason(path)].setdefault(path.read_bytes(), path)
    for (call, code, _), paths in groups.items():
        paths = list(paths.values())
        step = 1 if code == "0" else max(1, len(paths) // ALIKE)
        yield from ((path, call, int(code)) for path in paths[::step])


@pytest.mark.parametrize("program", PROGRAMS)
def test_as_the_unit_test_has_it(program, tmp_path):
    kept, here = tmp_path / "kept", tmp_path / "here"
    kept.mkdir()
    here.mkdir()
    subprocess.run([BUILD / "tests/unit" / program], env=dict(os.environ, PVBOOT_KEEP=str(kept)), check=True,
                   capture_output=True, timeout=120)
    seen = collections.Counter()
    with Judge(here) as judge:
        for image, call, want in chosen(kept):
            kernel = here / "vmlinuz"
            kernel.write_bytes(image.read_bytes())
            judge.look(image.name)
            code, _, err = judge(*SHOW[call], kernel)
            says = image.with_name(image.name + ".says").read_text()
            if want:
                assert (code, err.decode()) == (want, f"pvboot: {CLASSES[want]}: {kernel}: {says}\n"), image.name
            else:
                assert code == 0 or (call == "unpack" and code in PLANNERS), (image.name, code, err)
            seen[want] += 1
    print(f"{program}: {sum(seen.values())} images, {dict(sorted(seen.items()))}")
    assert seen
