# SPDX-License-Identifier: LGPL-2.1-only
"""Unpacking, with the Python of Debian 12 (3.11.2, which knows no extraction filters) and with later ones."""

import tarfile
from collections.abc import Iterable
from pathlib import Path


def extract(archive: tarfile.TarFile, directory: Path, members: Iterable[tarfile.TarInfo] | None = None) -> None:
    if hasattr(tarfile, "tar_filter"):
        archive.extraction_filter = tarfile.tar_filter  # nothing outside `directory`; links as packages have them
    archive.extractall(directory, members=members)
