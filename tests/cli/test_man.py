# SPDX-License-Identifier: LGPL-2.1-only
"""The pages of man/ against what the programs say and do."""
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
STORE = (ROOT / "man/pvboot-init-xenstore-domain.1").read_text()
LAUNCH = (ROOT / "man/pvboot-launch.1").read_text()
PAGE = (ROOT / "man/pvboot.1").read_text()


def test_options(pvboot):
    """mdoc writes --json as Fl -json."""
    usage = pvboot.ok("--help")
    assert set(re.findall(r"(?<=Fl -)[a-z][a-z-]+", PAGE)) == set(re.findall(r"(?<=--)[a-z][a-z-]+", usage))
    assert set(re.findall(r"^\.Cm (\w+)$", PAGE, re.M)) >= set(re.findall(r"^  pvboot ([a-z]+)", usage, re.M))


def test_exit_status(pvboot):
    """Each class of the usage text, and success."""
    told = set(re.findall(r"\b\d\d\b", pvboot.ok("--help").partition("exit:")[2]))
    assert set(re.findall(r"^\.It (\d+)$", PAGE, re.M)) == told | {"0", "1"} and len(told) == 10


def test_options_of_launch(pvboot):
    """Those that it says, and those that it takes."""
    if not (pvboot.path.parent / "pvboot-launch").exists():
        pytest.skip("pvboot-launch is not built: no Xen headers")
    told = set(re.findall(r"(?<=Fl -)[a-z][a-z-]+", LAUNCH))
    taken = set(re.findall(r'^    { "([a-z-]+)", (?:no|required)_argument', (ROOT / "src/frontends/launch/options.c").read_text(), re.M))
    assert told - {"force", "help"} == taken
    assert set(re.findall(r"(?<=--)[a-z][a-z-]+", pvboot.ok("launch", "--help"))) <= told


def page(name):
    """Its lines, each whole."""
    return (ROOT / "man" / name).read_text().replace("\\\n", "")


def test_functions_of_the_library():
    """All that Debian's symbols files list, which make check-exports compares with what is exported."""
    told = re.findall(r"\bpvboot_[a-z0-9_]+\b", " ".join(re.findall(r"^\.Fn (.*)", page("libpvboot.3"), re.M)))
    exported = [name for package in ("pvboot", "pvboot-xen")
                for name in re.findall(r"^ (pvboot_\w+)@", (ROOT / f"debian/lib{package}0.symbols").read_text(), re.M)]
    assert sorted(told) == sorted(exported) and len(told) > 50


def test_headers_of_the_library():
    """Each function stands under the header that declares it."""
    for entry in page("libpvboot.3").split("\n.It In ")[1:]:
        header, _, text = entry.partition("\n")
        declared = (ROOT / "include" / header).read_text()
        for name in re.findall(r"\bpvboot_\w+", " ".join(re.findall(r"^\.Fn (.*)", text.split(".El")[0], re.M))):
            assert re.search(rf"\b{name}\(", declared), (header, name)


def test_growing_structures_of_the_library():
    """Those that the ABI's check lets grow."""
    allowed = re.search(r"\^pvboot_\((.*)\)", (ROOT / "tests/abi/growing").read_text())[1].split("|")
    told = page("libpvboot.3").partition("Structures that may grow")[2].partition(".Ss")[0]
    assert set(re.findall(r"pvboot_(\w+)", told)) == set(allowed)


def test_keys_of_a_configuration():
    """Those that are understood: the parser's table has their names, docs/xl.md has their rows."""
    keys = re.findall(r"\bpvboot_\w+", " ".join(re.findall(r"^\.It (.*)", page("pvboot.cfg.5"), re.M)))
    table = re.findall(r'^    \{ "([a-z_]+)", (?:set_|NULL)', (ROOT / "src/builder/plan/request.c").read_text(), re.M)
    assert sorted(keys) == sorted(f"pvboot_{key}" for key in table) and len(keys) > 12
    assert set(keys) == set(re.findall(r"^\| `(pvboot_\w+)` \|", (ROOT / "docs/xl.md").read_text(), re.M))


def lab(*words):
    done = subprocess.run([sys.executable, "-m", "lab", *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_verbs_and_options_of_the_lab():
    told = {verb: set() for entry in re.findall(r"^\.It (Cm .*)", page("pvboot-lab.1"), re.M)
            for verb in re.findall(r"Cm ([a-z-]+)", entry)}
    for entry in re.findall(r"^\.It (Cm .*)", page("pvboot-lab.1"), re.M):
        for verb in re.findall(r"Cm ([a-z-]+)", entry):
            told[verb] |= set(re.findall(r"Fl -([a-z-]+)", entry))
    everywhere = set(re.findall(r"^\.It Fl -([a-z-]+)", page("pvboot-lab.1").partition("Every verb")[2].partition(".El")[0], re.M))
    assert told.keys() == set(re.findall(r"^    ([a-z-]+)(?:  |$)", lab(), re.M))
    for verb, options in told.items():
        taken = set(re.findall(r"--([a-z-]+)", lab(verb).partition("options:")[2])) - {"help"}
        assert options == taken - everywhere and everywhere <= taken, verb


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "man").iterdir()))
def test_pages_are_mdoc(name):
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed (Debian: mandoc)")
    done = subprocess.run(["mandoc", "-Tlint", "-Wwarning", ROOT / "man" / name], capture_output=True, text=True)
    assert done.stdout == ""


def test_options_of_init_xenstore_domain(pvboot):
    """Those that it takes, and Xen's own are among them."""
    told = set(re.findall(r"(?<=Fl -)[a-z][a-z-]+", STORE))
    taken = set(re.findall(r'{ "([a-z]+)", (?:no|required)_argument',
                           (ROOT / "src/frontends/launch/storedom_options.c").read_text()))
    assert told - {"help"} == taken > {"kernel", "memory", "flask", "ramdisk", "param", "name", "maxmem"}
