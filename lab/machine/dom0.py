# SPDX-License-Identifier: LGPL-2.1-only
"""The initramfs of dom0: Debian's own Xen tools with the libraries they need, and busybox around them."""

from pathlib import Path

from ..base import elf, kernels, packages, paths
from ..base.cpio import Archive

HERE = Path(__file__).resolve().parent
# where the lab keeps its own files, kernels and programs; the rest is as on a Debian host
DIRECTORY = "/var/lib/pvlab"
MODULES = ["xen-privcmd", "xenfs", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "virtio_pci", "9pnet_virtio", "9p",
           "fuse"]
XEN_TOOLS = ["xl", "xenstored", "xenconsoled", "xenconsole", "xen-init-dom0", "libxl-save-helper", "xenctx",
             "xen-hvmctx", "xen-hvmcrash", "xen-diag", "xen-cpuid", "xenstore-control", "xen-lowmemd", "xenpm"]
WRAPPED = ["xl", "xenstored", "xenconsoled", "xen-hvmctx", "xen-hvmcrash", "xen-diag", "xenpm"]
WRAPPER = "/usr/lib/xen-common/bin/xen-utils-wrapper"
XENSTORE = ["xenstore-ls", "xenstore-read", "xenstore-write", "xenstore-list", "xenstore-rm", "xenstore-exists",
            "xenstore-watch", "xenstore-chmod"]
# pthread_cancel() loads it at run time and aborts the program without it, so ldd does not show it
LOADED_LATE = ["libgcc_s.so.1"]


def build(store: packages.Store) -> bytes:
    archive = Archive()
    archive.chardev("/dev/console", 5, 1)
    archive.directory("/root", 0o700)
    archive.directory("/tmp", 0o1777)
    archive.copy(packages.busybox(store), "/bin/busybox")
    archive.symlink("/bin/sh", "busybox")
    archive.file("/init", (HERE / "dom0-init.sh").read_bytes(), 0o755)
    archive.file("/etc/xen/xl.conf", b"")
    archive.file("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    archive.file("/etc/group", b"root:x:0:\n")
    _xen_tools(archive)
    modules(archive, store, kernels.dom0(), MODULES)
    return archive.finish()


def _xen_tools(archive: Archive) -> None:
    bin_dir = packages.xen_dirs()[-1] / "bin"
    for tool in XEN_TOOLS:
        if (bin_dir / tool).exists():
            program(archive, bin_dir / tool)
    for name in ("xenstore", *XENSTORE):
        program(archive, paths.root() / "usr/bin" / name)
    archive.copy(paths.root() / WRAPPER.lstrip("/"), WRAPPER)
    for name in WRAPPED:
        archive.symlink(f"/usr/sbin/{name}", f"..{WRAPPER.removeprefix('/usr')}")
    libc = next(p for p in elf.libraries(bin_dir / "xl") if p.name == "libc.so.6")
    for name in LOADED_LATE:
        _copy(archive, libc.parent / name)


def program(archive: Archive, source: Path, name: str | None = None) -> None:
    """Where the release has it, or at `name`."""
    _copy(archive, source, name)
    for library in elf.libraries(source):
        _copy(archive, library)


def _copy(archive: Archive, source: Path, name: str | None = None) -> None:
    archive.copy(source, name or paths.in_release(source))


def modules(archive: Archive, store: packages.Store, kernel: kernels.Kernel, names: list[str]) -> None:
    """What insmod is to load, and /modules/order, which says in which order."""
    order = kernels.modules(store, kernel, names)
    for name, data in order.items():
        archive.file(f"/modules/{name}", data)
    archive.file("/modules/order", "".join(f"{name}\n" for name in order).encode())
