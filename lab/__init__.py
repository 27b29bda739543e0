# SPDX-License-Identifier: LGPL-2.1-only
"""The lab: a real Xen with a real dom0 under QEMU's software emulation, driven from Python's standard library."""
