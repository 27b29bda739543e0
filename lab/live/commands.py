# SPDX-License-Identifier: LGPL-2.1-only
"""The verbs for a machine that stays up, to work in its dom0: up, exec, shell, push, down, status; and fetch, root."""

import argparse
import sys
import time

from ..base import kernels, packages, paths, ready
from ..base.errors import LabError, Timeout
from ..machine import dom0, install
from ..machine.host import Host
from ..guests import images


def register(verb) -> None:
    """`verb` makes a subparser of a function; lab/__main__.py has it."""
    sub = verb(up, "boot a Xen that stays in the background, with kernels and what is built in it")
    sub.add_argument("--memory", type=int, default=3072, metavar="MIB", help="of the whole machine (dom0 takes 1536)")
    sub = verb(exec_, "run a shell command in the running dom0")
    sub.add_argument("command", nargs="+")
    sub.add_argument("--timeout", type=float, default=600, metavar="SECONDS")
    verb(shell, "type commands into the running dom0")
    verb(push_, "copy freshly built binaries into the running dom0 (exec and shell do it first anyway)")
    verb(down, "end the running Xen")
    verb(status, "is a Xen running, and what does it have")
    sub = verb(fetch, "download packages only")
    sub.add_argument("--refresh", action="store_true", help="look for newer ones")
    verb(root, "where the release's libraries and headers are; they are unpacked if need be")


def up(args: argparse.Namespace) -> int:
    ready.ensure()
    host = Host(paths.live(), memory_mib=args.memory)
    if host.alive():
        print("lab: already up")
    else:
        store = packages.Store()
        print(f"lab: dom0 is up after {host.boot(store):.1f} s")
        place_kernels(host, store)
    install.push(host)
    return status(args)


def place_kernels(host: Host, store: packages.Store) -> None:
    """Kernels and guest initramfs images under short names, for use by hand."""
    for kernel in kernels.of_release():
        host.put(kernels.image(store, kernel), f"{dom0.DIRECTORY}/vmlinuz-{kernel.id}")
    for arch in ("amd64", "i386"):
        host.put(images.initramfs(store, arch), f"{dom0.DIRECTORY}/guest-{arch}.cpio")


def exec_(args: argparse.Namespace) -> int:
    host = _running()
    install.push(host)
    return _stream(host, " ".join(args.command), args.timeout)


def shell(args: argparse.Namespace) -> int:
    host = _running()
    print("lab: each line is one script in dom0; end with ctrl-d")
    while True:
        try:
            line = input("dom0# ")
        except EOFError:
            print()
            return 0
        if line.strip():
            install.push(host)
            try:
                _stream(host, line, 600)
            except Timeout as late:
                print(f"lab: {late}")


def push_(args: argparse.Namespace) -> int:
    for name in install.push(_running()):
        print(name)
    return 0


def down(args: argparse.Namespace) -> int:
    Host(paths.live()).stop()
    return 0


def status(args: argparse.Namespace) -> int:
    host = Host(paths.live())
    if not host.alive():
        print("lab: down")
        return 1
    _, out, _ = host.run(f"xl list; ls {dom0.DIRECTORY}/* /usr/lib/pvboot/* /usr/bin/pvboot 2>/dev/null")
    print(out + f"lab: up; log {host.log_file}")
    return 0


def fetch(args: argparse.Namespace) -> int:
    if args.refresh:
        ready.refresh()
    ready.ensure()
    for kernel in kernels.KERNELS.values():
        print(f"{kernel.id:10} {kernels.described(packages.Store(), kernel)}")
    return 0


def root(args: argparse.Namespace) -> int:
    print(ready.ensure_root())
    return 0


def _running() -> Host:
    host = Host(paths.live())
    if not host.alive():
        raise LabError("no Xen is running; start it with: python3 -m lab up")
    return host


def _stream(host: Host, command: str, timeout: float) -> int:
    """Run a command and show its output while it comes."""
    job = host.start(command)
    streams = tuple(zip(host.stream(job), (sys.stdout, sys.stderr)))
    shown = [0, 0]

    def show() -> None:
        for i, (path, to) in enumerate(streams):
            if path.exists():
                with path.open(errors="replace") as source:
                    source.seek(shown[i])
                    to.write(source.read())
                    to.flush()
                    shown[i] = source.tell()

    deadline = host.clock() + timeout
    try:
        while not host.finished(job):
            show()
            if host.clock() > deadline:
                raise Timeout(f"no end after {timeout:.0f} s")
            time.sleep(0.05)
    except (KeyboardInterrupt, Timeout):
        host.kill(job)
        raise
    show()
    return host.result(job)[0]
