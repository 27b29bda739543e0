# SPDX-License-Identifier: LGPL-2.1-only
"""What a probe kernel said, as a dict.

From a Xen log (`(d3) @probe cr0=0x11`) or from port 0xe9 as it comes.  Keys with one value are the number or the text;
keys in LISTS are always lists, in order; values with commas are tuples.  Dumps are bytes, under "hex", by name; those
that come more than once (setup_data_node, module_cmdline) are lists of bytes.

    python3 tests/guests/probe.py [--domain N] LOG
"""

import argparse
import json
import re
import sys

LISTS = {"map", "e820", "module", "setup_data", "tlv", "ap", "unreadable", "error"}
DUMP_LISTS = {"setup_data_node", "module_cmdline"}
LINE = re.compile(r"^(?:\(d(?P<domain>\d+)\) )?@probe(?P<hex>-hex)? (?P<rest>.*?)\r?$")


class ProbeError(ValueError):
    """The report is cut off, garbled or absent."""


def parse(text: str, domain: int | None = None) -> dict:
    """The last report in `text`; of that domain only, if one is given."""
    reports = _reports(text, domain)
    if not reports:
        raise ProbeError("no @probe line")
    report = reports[-1]
    if report.get("done") != 1:
        raise ProbeError(f"cut off after {report['lines']} lines: no done=1")
    del report["done"], report["lines"]
    return report


def _reports(text: str, domain: int | None) -> list[dict]:
    """Each begins with entry=; guests' lines may be mixed."""
    reports: list[dict] = []
    current: dict[str | None, dict] = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if not match or (domain is not None and match["domain"] not in (None, str(domain))):
            continue
        rest, who = match["rest"], match["domain"]
        if rest.startswith(("entry=", "error=")) and not match["hex"]:
            current[who] = {"hex": {}, "lines": 0}
            reports.append(current[who])
        if who not in current:
            raise ProbeError(f"begins in the middle: {line}")
        report = current[who]
        report["lines"] += 1
        if match["hex"]:
            _take_dump(report["hex"], rest)
        else:
            _take_fact(report, rest)
    return reports


def _value(text: str):
    if "," in text:
        return tuple(_value(part) for part in text.split(","))
    return int(text, 16) if re.fullmatch(r"0x[0-9a-f]+", text) else int(text) if text.isdecimal() else text


def _take_fact(report: dict, rest: str) -> None:
    key, equals, text = rest.partition("=")
    if not equals or not re.fullmatch(r"[a-z0-9_]+", key):
        raise ProbeError(f"not KEY=VALUE: {rest}")
    if key in LISTS:
        report.setdefault(key, []).append(_value(text))
    elif key in report:
        raise ProbeError(f"{key} a second time")
    else:
        report[key] = _value(text)


def _take_dump(dumps: dict, rest: str) -> None:
    match = re.fullmatch(r"([a-z0-9_]+) ([0-9a-f]+) ((?:[0-9a-f]{2})+)", rest)
    if not match:
        raise ProbeError(f"not NAME OFF BYTES: {rest}")
    name, off, data = match[1], int(match[2], 16), bytes.fromhex(match[3])
    pieces = dumps.setdefault(name, [])
    if not isinstance(pieces, list):
        pieces = [pieces]
    if off == 0:
        if pieces and name not in DUMP_LISTS:
            raise ProbeError(f"dump {name} a second time")
        pieces.append(b"")
    if not pieces or len(pieces[-1]) != off:
        raise ProbeError(f"dump {name}: a gap before {off:#x}")
    pieces[-1] += data
    dumps[name] = pieces if name in DUMP_LISTS else pieces[0]


def _main() -> int:
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--domain", type=int)
    args.add_argument("log")
    args = args.parse_args()
    try:
        with open(args.log, errors="replace") as log:
            report = parse(log.read(), args.domain)
    except (OSError, ProbeError) as error:
        print(f"probe: {error}", file=sys.stderr)
        return 1
    json.dump(report, sys.stdout, indent=1, default=lambda data: data.hex())
    print()
    return 0


if __name__ == "__main__":
    sys.exit(_main())
