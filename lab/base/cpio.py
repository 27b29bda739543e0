# SPDX-License-Identifier: LGPL-2.1-only
"""Writes initramfs archives (cpio "newc").  Done here because device nodes and root ownership then need no privilege.

Format: Linux Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import stat
from pathlib import Path, PurePosixPath


class Archive:
    def __init__(self) -> None:
        self._out = bytearray()
        self._seen: set[str] = set()

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        if self._new(name):
            self._entry(name, stat.S_IFREG | mode, data)

    def copy(self, source: Path, name: str | None = None) -> None:
        """A file of this machine, symlinks followed, at the same path or at `name`."""
        self.file(name or str(source), source.read_bytes(), stat.S_IMODE(source.stat().st_mode) | 0o444)

    def directory(self, name: str, mode: int = 0o755) -> None:
        if self._new(name):
            self._entry(name, stat.S_IFDIR | mode, b"")

    def symlink(self, name: str, target: str) -> None:
        if self._new(name):
            self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def chardev(self, name: str, major: int, minor: int) -> None:
        if self._new(name):
            self._entry(name, stat.S_IFCHR | 0o600, b"", (major, minor))

    def has(self, name: str) -> bool:
        return _plain(name) in self._seen

    def finish(self) -> bytes:
        self._entry("TRAILER!!!", 0, b"")
        return bytes(self._out)

    def _new(self, name: str) -> bool:
        """True the first time; makes the parent directories."""
        plain = _plain(name)
        if plain in self._seen:
            return False
        parent = str(PurePosixPath(plain).parent)
        if parent not in (".", "/"):
            self.directory(parent)
        self._seen.add(plain)
        return True

    def _entry(self, name: str, mode: int, data: bytes, device: tuple[int, int] = (0, 0)) -> None:
        path = _plain(name).encode() + b"\0"
        fields = (len(self._seen), mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        self._out += b"070701" + b"".join(b"%08x" % field for field in fields) + path
        self._pad()
        self._out += data
        self._pad()

    def _pad(self) -> None:
        self._out += bytes(-len(self._out) % 4)


def _plain(name: str) -> str:
    return name.strip("/")
