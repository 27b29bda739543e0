# SPDX-License-Identifier: LGPL-2.1-only
"""The xl.cfg of a case, written and read."""

import re

from .case import PATHS, Case


def cmdline(case: Case, words: str = "") -> str:
    """The guest's: the case's own words, or those that stand in for them, and what its init is told."""
    said = " ".join(filter(None, (words or case.cmdline, case.guest_kernel.words)))
    return f"{said} pvlab.mode={case.mode}" + (" pvlab.out=e9" if case.port_e9 else "")


def config(case: Case, kernel: str, ramdisk: str, words: str = "") -> str:
    """The xl.cfg of a case; `words` stands in for the case's own command line."""
    usual = {"kernel": kernel, "ramdisk": ramdisk, "memory": case.memory, "vcpus": case.vcpus,
             "cmdline": cmdline(case, words), "on_crash": "preserve", "on_poweroff": "preserve"}
    keys = {"name": case.name, **PATHS[case.path], **usual, **PATHS[case.path], **case.config}
    return "".join(f"{key} = {_value(value)}\n" for key, value in keys.items() if value is not None)


def _value(value) -> str:
    if isinstance(value, list):
        return "[ " + ", ".join(map(_value, value)) + " ]"
    return str(value) if isinstance(value, int) else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_config(text: str) -> dict[str, str]:
    """The plain KEY = VALUE lines of an xl.cfg."""
    lines = re.findall(r'^\s*(\w+)\s*=\s*"?([^"\n#]*?)"?\s*(?:#.*)?$', text, re.M)
    return dict(lines)
