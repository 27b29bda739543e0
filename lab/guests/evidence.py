# SPDX-License-Identifier: LGPL-2.1-only
"""What a guest prints about itself (init.sh), taken apart again."""

import base64
import binascii
import dataclasses
import re
from pathlib import Path

_BEGIN = re.compile(r"@@pvboot-begin (\S+)( base64)?@@$")
_DONE = re.compile(r"@@pvboot-done (\d+)@@$", re.M)


@dataclasses.dataclass
class Evidence:
    sections: dict[str, bytes]

    def text(self, name: str) -> str:
        return self.sections[name].decode(errors="replace")

    def tree(self, name: str) -> dict[str, str]:
        """A section of "path value" lines."""
        return dict(line.partition(" ")[::2] for line in self.text(name).splitlines() if line)

    def setup_data(self) -> dict[int, tuple[int, bytes]]:
        """Nodes of the chain by their number in sysfs: type and payload."""
        nodes = {}
        for name in self.sections:
            match = re.fullmatch(r"setup_data\.(\d+)\.type", name)
            if match:
                number = int(match.group(1))
                data = self.sections.get(f"setup_data.{number}.data", b"")
                nodes[number] = (int(self.text(name).strip(), 0), data)
        return nodes


def rounds(console: str) -> int:
    """How many times a guest has printed everything."""
    return len(_DONE.findall(console.replace("\r", "")))


def parse(console: str) -> Evidence:
    """The last complete round.  ValueError says what is missing."""
    text = console.replace("\r", "")
    done = list(_DONE.finditer(text))
    if not done:
        raise ValueError(f"no end mark; the last line is {_last_line(text)!r}")
    start = done[-2].end() if len(done) > 1 else 0
    sections: dict[str, bytes] = {}
    name, encoded, lines = None, False, []
    for line in text[start:done[-1].start()].splitlines():
        begin = _BEGIN.search(line)
        if name and begin:
            raise ValueError(f"section {name} is cut: {begin.group(1)} begins in the middle of it")
        if begin:
            name, encoded, lines = begin.group(1), bool(begin.group(2)), []
        elif name is not None and line == f"@@pvboot-end {name}@@":
            sections[name] = _content(name, lines, encoded)
            name = None
        elif name is not None:
            lines.append(line)
    if len(sections) != int(done[-1].group(1)):
        raise ValueError(f"{len(sections)} of {done[-1].group(1)} sections are whole; the last is {list(sections)[-1:]}")
    return Evidence(sections)


def _content(name: str, lines: list[str], encoded: bool) -> bytes:
    if encoded:
        try:
            return base64.b64decode("".join(lines), validate=True)
        except binascii.Error as error:
            raise ValueError(f"section {name}: {error}") from None
    if lines and not lines[-1]:  # the guest adds a newline, for contents that end without one
        lines = lines[:-1]
    return "".join(f"{line}\n" for line in lines).encode()


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def from_xen_log(log: str, domid: int) -> str:
    """What one domain wrote to the hypervisor's debug port."""
    prefix = f"(d{domid}) "
    return "".join(line.partition(prefix)[2] + "\n" for line in log.replace("\r", "").splitlines() if prefix in line)


def save(found: Evidence, directory: Path) -> None:
    """One file per section; setup_data nodes in a directory of their own."""
    for name, data in found.sections.items():
        if name.startswith("setup_data."):
            _, number, part = name.split(".")
            path = directory / "setup_data" / f"{number}.{part}"
            path.parent.mkdir(exist_ok=True)
        else:
            path = directory / (f"{name}.bin" if name == "boot_params" else f"{name}.txt")
        path.write_bytes(data)
