# SPDX-License-Identifier: LGPL-2.1-only
"""python3 -m lab VERB [--release NAME]: a real Xen under emulation, to try things in and to run the cases."""

import argparse
import os
import select
import signal
import sys
from pathlib import Path

from .base import release
from .base.errors import LabError
from .bench import commands as bench
from .campaigns import commands as campaigns
from .cases import commands as cases
from .flight import commands as flight
from .live import commands as live
from .machine import debs

HERE = Path()
VERBS = (cases, bench, campaigns, live, flight)  # each has a register(); in the order of --help


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a machine of ours ends with us
    try:
        return _run()
    except LabError as error:
        print(f"lab: {error.word}: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _unheard()


def _run() -> int:
    try:
        args = _arguments()
        if args.release:
            release.choose(args.release)
        if args.from_packages:
            debs.choose(args.from_packages if args.from_packages != HERE else None)
        return args.verb(args)
    finally:
        sys.stdout.flush()  # what cannot be said is known here, and not when Python ends


def _unheard() -> int:
    """As a program that SIGPIPE ends; here it does not, so that a machine of ours is ended first."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    if not output.poll(0):
        raise  # it was another pipe: a bug
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


class _Parser(argparse.ArgumentParser):
    def print_help(self, file=None):
        """As argparse, but a reader who has gone is an error; Python 3.13's argparse passes over it."""
        (file or sys.stdout).write(self.format_help())

    def error(self, message: str):
        self.exit(64, f"lab: usage: {message}; see {self.prog} --help\n")


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="python3 -m lab", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(function, help_text):
        sub = verbs.add_parser(function.__name__.strip("_").replace("_", "-"), help=help_text, description=help_text)
        sub.set_defaults(verb=function)
        sub.add_argument("--release", metavar="|".join(release.KNOWN),
                         help="whose Xen, dom0 kernel and libraries are booted (default: this machine's)")
        sub.add_argument("--from-packages", nargs="?", const=HERE, type=Path, metavar="DIR",
                         help="dom0 gets pvboot's .debs of DIR (default: where make debs puts them), not what make built")
        return sub

    for module in VERBS:
        module.register(verb)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
