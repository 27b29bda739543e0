# SPDX-License-Identifier: LGPL-2.1-only
"""A table in a page that people write: what a run found goes between two marks, all else stays."""

import re

from .errors import LabError

END = "<!-- end -->\n"


def with_table(text: str, begin: str, table: str) -> str:
    """The page with this table from its mark `begin` to the next END."""
    new, found = re.subn(f"({re.escape(begin)}).*?({re.escape(END)})", lambda m: m.group(1) + table + m.group(2), text,
                         flags=re.S)
    if found != 1:
        raise LabError(f"{found} places for the table, between {begin.strip()} and {END.strip()}")
    return new
