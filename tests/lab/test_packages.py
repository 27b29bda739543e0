# SPDX-License-Identifier: LGPL-2.1-only
"""Which package is the newest, and what a kernel's pattern matches."""

import re

import pytest

from lab.base import kernels, packages


def test_newest_by_number_and_signed_first():
    names = ["linux-image-6.1.0-9-amd64", "linux-image-6.1.0-10-amd64-unsigned", "linux-image-6.1.0-10-amd64",
             "linux-image-6.1.0-11-amd64-unsigned", "linux-image-6.1.0-12-amd64-dbg", "linux-image-6.1.0-12-rt-amd64"]
    assert packages.newest(names, r"linux-image-6\.1\.0-\d+-amd64") == [
        "linux-image-6.1.0-11-amd64-unsigned", "linux-image-6.1.0-10-amd64", "linux-image-6.1.0-10-amd64-unsigned",
        "linux-image-6.1.0-9-amd64"]


@pytest.mark.parametrize("package, kernel", [
    ("linux-image-6.1.0-56-amd64", "6.1"),
    ("linux-image-6.1.0-56-cloud-amd64", "6.1-cloud"),
    ("linux-image-6.12.117+deb12-amd64", "6.12"),
    ("linux-image-6.12.9+deb12+1-amd64", "6.12"),
    ("linux-image-6.12.117+deb13-amd64", "6.12-deb13"),
    ("linux-image-6.12.115+deb13.1-amd64", "6.12-deb13"),
    ("linux-binary-7.2.12+deb14-amd64", "newest"),
    ("linux-binary-7.2.12+deb14-rt-amd64", None),
    ("linux-binary-unsigned-7.2.12+deb14-amd64", None),
    ("linux-image-7.2.12+deb14-amd64", None),  # empty since Linux 7: it only names the others
    ("linux-image-6.1.0-50-686-pae", "686-pae"),
    ("linux-image-6.1.0-50-686", "686"),
    ("linux-image-6.12.117+deb12-cloud-amd64", None),
    ("linux-image-6.12.117+deb12-rt-amd64", None),
    ("linux-image-6.1.0-56-amd64-dbg", None),
    ("linux-image-amd64", None),
])
def test_each_package_belongs_to_one_kernel_at_most(package, kernel):
    found = [k.id for k in kernels.KERNELS.values() if re.fullmatch(k.pattern, package)]
    assert found == ([kernel] if kernel else [])
