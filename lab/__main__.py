# SPDX-License-Identifier: LGPL-2.1-only
"""python3 -m lab VERB: a real Xen under emulation, to try things in and to run the cases."""

import argparse
import dataclasses
import signal
import sys
import time
from pathlib import Path

from . import bench, case_table, confine, demo, dom0, faults, guest, kernels, packages, paths, push, report, run, soak
from .errors import LabError, Timeout
from .flight import commands
from .host import Host


def main() -> int:
    args = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a machine of ours ends with us
    try:
        return args.verb(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m lab", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(function, help_text):
        sub = verbs.add_parser(function.__name__.strip("_"), help=help_text, description=help_text)
        sub.set_defaults(verb=function)
        return sub

    sub = verb(run_, "run the cases: boots its own Xen")
    sub.add_argument("--select", default="", metavar="GLOB,...", help="only the cases whose id matches")
    sub.add_argument("--keep-going", action="store_true", help="do not stop at the first failure")
    sub.add_argument("--out", type=Path, help="where everything is kept (default: run/ in the lab directory)")
    sub = verb(list_, "list the cases")
    sub.add_argument("--select", default="", metavar="GLOB,...")
    verb(demo_, "one guest from its plan to what it reads back")
    sub = verb(bench_, "time xl create -p, stock PVH against each entry")
    sub.add_argument("--rounds", type=int, default=bench.ROUNDS)
    sub.add_argument("--sandbox", action="store_true", help="what it costs to confine the parser, in pairs")
    sub = verb(soak_, "create, destroy, reboot and fail, over and over; does anything grow?")
    for what, count in dataclasses.asdict(soak.Plan()).items():
        sub.add_argument(f"--{what.replace('_', '-')}", type=int, default=count, metavar="N")
    verb(faults_, "requests of a build fail, one at a time; is anything left behind?")
    verb(confine_, "the confinement attacked on dom0's own kernel")
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
    commands.register(verb)
    return parser.parse_args()


def run_(args: argparse.Namespace) -> int:
    wanted = case_table.select(case_table.all_cases(), args.select)
    out = (args.out or paths.lab() / "run").resolve()
    results = run.flight(wanted, out, args.keep_going, report.Progress())
    report.write(results, out)
    line, good = report.summary(results, len(wanted))
    print(line)
    return 0 if good else 1


def list_(args: argparse.Namespace) -> int:
    for case in case_table.select(case_table.all_cases(), args.select):
        print(f"{case.id:32} {case.path:10} {case.kernel:10} {case.vcpus} vCPU {case.memory} MiB"
              + (f"  refused: {case.refused}" if case.refused else ""))
    return 0


def demo_(args: argparse.Namespace) -> int:
    return demo.demo()


def bench_(args: argparse.Namespace) -> int:
    return (bench.bench_sandbox if args.sandbox else bench.bench)(args.rounds)


def soak_(args: argparse.Namespace) -> int:
    return soak.soak(soak.Plan(args.cycles, args.reboots, args.failures, args.warm_up))


def faults_(args: argparse.Namespace) -> int:
    return faults.faults()


def confine_(args: argparse.Namespace) -> int:
    return confine.confine()


def up(args: argparse.Namespace) -> int:
    packages.ensure_installed()
    host = Host(paths.live(), memory_mib=args.memory)
    if host.alive():
        print("lab: already up")
    else:
        store = packages.Store()
        print(f"lab: dom0 is up after {host.boot(store):.1f} s")
        place_kernels(host, store)
    push.push(host)
    return status(args)


def place_kernels(host: Host, store: packages.Store) -> None:
    """Kernels and guest initramfs images under short names, for use by hand."""
    for kernel in kernels.KERNELS.values():
        host.put(kernels.image(store, kernel), f"{dom0.DIRECTORY}/vmlinuz-{kernel.id}")
    for arch in ("amd64", "i386"):
        host.put(guest.initramfs(store, arch), f"{dom0.DIRECTORY}/guest-{arch}.cpio")


def exec_(args: argparse.Namespace) -> int:
    host = _running()
    push.push(host)
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
            push.push(host)
            try:
                _stream(host, line, 600)
            except Timeout as late:
                print(f"lab: {late}")


def push_(args: argparse.Namespace) -> int:
    for name in push.push(_running()):
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
    packages.ensure_installed()
    store = packages.Store()
    if args.refresh:
        store.refresh()
    for kernel in kernels.KERNELS.values():
        print(f"{kernel.id:10} {kernels.image(store, kernel).name}")
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

    deadline = time.monotonic() + timeout
    try:
        while not host.finished(job):
            show()
            if time.monotonic() > deadline:
                raise Timeout(f"no end after {timeout:.0f} s")
            time.sleep(0.05)
    except (KeyboardInterrupt, Timeout):
        host.kill(job)
        raise
    show()
    return host.result(job)[0]


if __name__ == "__main__":
    sys.exit(main())
