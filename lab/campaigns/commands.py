# SPDX-License-Identifier: LGPL-2.1-only
"""The verbs of campaigns: soak, faults, launch, stubdom, devicemodel, confine, migrate, linux."""

import argparse
import dataclasses

from ..base import packages, release
from . import confine, devicemodel, faults, kbuild, launch, linux, migrate, soak, stubdom


def register(verb) -> None:
    """`verb` makes a subparser of a function; lab/__main__.py has it."""
    sub = verb(soak_, "create, destroy, reboot and fail, over and over; does anything grow?")
    for what, count in dataclasses.asdict(soak.Plan()).items():
        sub.add_argument(f"--{what.replace('_', '-')}", type=int, default=count, metavar="N")
    verb(faults_, "requests of a build fail, one at a time; is anything left behind?")
    sub = verb(launch_, "domains without libxl: each path, timers, no xenstored; is anything left of many?")
    sub.add_argument("--cycles", type=int, default=100, metavar="N")
    sub.add_argument("--select", metavar="GLOB", help="guests by name, of every kernel: '6.12-*', '*-stub-4'; default: a short list")
    verb(stubdom_, "xenstored in a domain of its own: stock guests through it, and its end")
    verb(devicemodel_, "the device model of an HVM guest in a stub domain of stock xl's")
    verb(confine_, "the confinement attacked on dom0's own kernel")
    sub = verb(migrate_, "guests saved on one machine go on on another, of another release if one is named")
    sub.add_argument("--to", choices=release.KNOWN, help="whose Xen and xl restore them (default: as saved)")
    sub = verb(linux_, "a Linux with the patches of linux/: what it knows of its hypervisor, and when")
    sub.add_argument("--build", action="store_true", help="only build it")


def soak_(args: argparse.Namespace) -> int:
    return soak.soak(soak.Plan(args.cycles, args.reboots, args.failures, args.warm_up))


def faults_(args: argparse.Namespace) -> int:
    return faults.faults()


def confine_(args: argparse.Namespace) -> int:
    return confine.confine()


def launch_(args: argparse.Namespace) -> int:
    return launch.launch(args.cycles, args.select)


def stubdom_(args: argparse.Namespace) -> int:
    return stubdom.stubdom()


def devicemodel_(args: argparse.Namespace) -> int:
    return devicemodel.devicemodel()


def migrate_(args: argparse.Namespace) -> int:
    return migrate.migrate(args.to or release.name())


def linux_(args: argparse.Namespace) -> int:
    if not args.build:
        return linux.linux()
    print(kbuild.built(packages.Store()).patched)
    return 0
