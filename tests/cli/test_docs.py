# SPDX-License-Identifier: LGPL-2.1-only
"""What README.md, docs/architecture.md and CONTRIBUTING.md say of the tree, against the tree."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
WAY = (ROOT / "docs/architecture.md").read_text()
PAGES = sorted(p.relative_to(ROOT) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("lab/*.md")])


def picture():
    """The folders of src/builder in README's picture, from top to bottom."""
    drawn = README[README.index(" kernel, ramdisks, options"):]
    return re.findall(r"\b([a-z]+)/ {2,}", drawn[:drawn.index("```")])


def stages():
    said = re.search(r"^stages='([a-z ]+)'$", (ROOT / "tests/check-layers").read_text(), re.M)
    return said.group(1).split()


def test_the_picture_shows_each_stage():
    drawn = [f for f in picture() if f != "builder"]
    assert sorted(f for f in drawn if f != "startinfo") == sorted(p.name for p in (ROOT / "src/builder").iterdir())
    order = [f for f in drawn if f in ("file", "image", "plan", "check", "load", "xen")]
    assert order == [s for s in stages() if s in order]


def rows():
    return re.findall(r"^\| [^|]+ \| `(\w+)` \| `([\w/.]+)` \|", WAY, re.M)


def test_there_are_steps():
    assert len(rows()) > 25


@pytest.mark.parametrize("function, path", rows())
def test_each_function_is_where_the_page_says(function, path):
    assert re.search(rf"^\S.*\b{function}\([^;]*$", (ROOT / path).read_text(), re.M), f"{path} does not define {function}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_named_files_exist(page):
    text = (ROOT / page).read_text()
    named = set(re.findall(r"`((?:src|include|tests|lab|docs|man|xl-config-examples|examples|debian|mk)/[\w/.-]+)`", text))
    named |= {str((page.parent / link)) for link in re.findall(r"\]\((?!http)([\w/.-]+)\)", text)}
    missing = [n for n in sorted(named) if not (ROOT / n).exists()]
    assert not missing


def test_make_targets_exist():
    said = set()
    for page in PAGES:
        said |= set(re.findall(r"(?:^    |`)make ((?!and\b)[a-z-]+)(?![\w/-])", (ROOT / page).read_text(), re.M))
    for target in sorted(said):
        made = subprocess.run(["make", "-n", "-q", target], cwd=ROOT, capture_output=True, text=True)
        assert "No rule to make target" not in made.stderr, target
