# SPDX-License-Identifier: LGPL-2.1-only
"""The lab's folders use each other one way only, and no module comes back to itself."""

import ast
import graphlib
import pathlib

import pytest

LAB = pathlib.Path(__file__).resolve().parents[2] / "lab"
BOTTOM_UP = ("base", "machine", "guests", "judges", "cases")
MAY_USE = {
    **{room: BOTTOM_UP[:n] for n, room in enumerate(BOTTOM_UP)},
    "judges": ("base", "guests"),  # what they judge is brought to them
    "bench": BOTTOM_UP,
    "campaigns": BOTTOM_UP,
    "live": ("base", "machine", "guests"),
    "flight": BOTTOM_UP,
    "": ("base", "machine", "cases", "bench", "campaigns", "live", "flight"),  # __main__
}


def imports(lab: pathlib.Path) -> dict[str, set[str]]:
    """By module, the modules of the lab that it names, wherever in the file that is: "cases/boot", "__main__"."""
    modules = {path.relative_to(lab).with_suffix("").as_posix(): path for path in lab.rglob("*.py")}
    return {name: {found for node in ast.walk(ast.parse(path.read_text()))
                   for found in named(node, name, modules)} for name, path in modules.items()}


def named(node: ast.AST, where: str, modules) -> list[str]:
    if isinstance(node, ast.Import):
        bases = [(alias.name.split(".")[1:], ()) for alias in node.names if alias.name.split(".")[0] == "lab"]
    elif isinstance(node, ast.ImportFrom) and node.level:
        package = where.split("/")[:-1]
        bases = [(package[:len(package) + 1 - node.level] + (node.module or "").split("."), node.names)]
    elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lab":
        bases = [(node.module.split(".")[1:], node.names)]
    else:
        return []
    found = []
    for base, names in bases:
        at = "/".join(filter(None, base))
        inside = [f"{at}/{alias.name}".lstrip("/") for alias in names]
        found += [at] if at in modules else [name if name in modules else f"{at}/__init__".lstrip("/") for name in inside]
    return found


def room(module: str) -> str:
    return module.rpartition("/")[0]


def wrong(lab: pathlib.Path) -> list[str]:
    graph = imports(lab)
    found = [f"{module} uses {used}" for module, all_used in sorted(graph.items()) for used in sorted(all_used)
             if room(used) != room(module) and room(used) not in MAY_USE[room(module)]]
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found.append(f"circle: {' -> '.join(error.args[1])}")
    return found


def test_the_lab_has_no_arrow_back():
    assert wrong(LAB) == []


def test_every_folder_has_its_place():
    assert {path.parent.relative_to(LAB).as_posix() for path in LAB.rglob("*.py")} - {"."} == MAY_USE.keys() - {""}
    assert sum(map(len, imports(LAB).values())) > 200  # they are seen at all


@pytest.mark.parametrize("files, found", [
    ({"base/a": "import os", "machine/b": "from ..base import a", "__main__": "from .base import a"}, []),
    ({"base/a": "from ..machine.b import X", "machine/b": ""}, ["base/a uses machine/b"]),
    ({"base/a": "from ..machine import b", "machine/b": ""}, ["base/a uses machine/b"]),
    ({"base/a": "from lab.machine import b", "machine/b": ""}, ["base/a uses machine/b"]),
    ({"base/a": "import lab.machine.b", "machine/b": ""}, ["base/a uses machine/b"]),
    ({"base/a": "def f():\n    from ..machine import X", "machine/__init__": ""}, ["base/a uses machine/__init__"]),
    ({"campaigns/a": "from ..flight import b", "flight/b": ""}, ["campaigns/a uses flight/b"]),
    ({"base/a": "from . import b", "base/b": "from .a import X"}, ["circle: base/a -> base/b -> base/a"]),
    ({"base/a": "from ..__main__ import main", "__main__": ""}, ["base/a uses __main__"]),
])
def test_an_arrow_back_is_seen(tmp_path, files, found):
    for name, text in files.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert wrong(tmp_path) in (found, [line.replace("a -> base/b -> base/a", "b -> base/a -> base/b") for line in found])
