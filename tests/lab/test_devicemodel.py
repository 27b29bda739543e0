# SPDX-License-Identifier: LGPL-2.1-only
"""What is told of a guest whose device model is in a stub domain, and when it is believed."""

import pytest

from lab.campaigns.devicemodel import judge

SAID = """\
@guest 3
@stub 4
Name                                        ID   Mem VCPUs	State	Time(s)
Domain-0                                     0  1536     1     r-----      60.1
modelled                                     3    64     1     -b----       0.2
modelled-dm                                  4   256     1     -b----       4.4
/usr/libexec/xen-qemu-system-i386 -xen-domid 4 -no-shutdown -nodefaults -xen-attach -name modelled-dm -machine xenpv -m 257
/local/domain/3/image/device-model-domid = "4"
/local/domain/4/target = "3"
/local/domain/4/device-model/3/state = "running"
7.2.22Debian 1:7.2+dfsg-7+deb12u18+b3
VM status: running
@@sector-begin@@
hypervisor XenVMMXenVMM
pci 8086:1237
pci 8086:7000
pci 5853:0001
@@sector-done@@
"""


def test_believed():
    assert judge(SAID) == ""


@pytest.mark.parametrize("line, other, wrong", [
    ("@stub 4\n", "", "domains: {'guest': '3'}"),
    ('domid = "4"', 'domid = "0"', "/local/domain/3/image/device-model-domid is not 4"),
    ('target = "3"', 'target = "1"', "/local/domain/4/target is not 3"),
    ('state = "running"', 'state = "paused"', "/local/domain/4/device-model/3/state is not running"),
    ("-xen-domid 4", "-xen-domid 3", "QEMU runs in dom0 for ['3'], not for the stub domain's consoles alone"),
    ("VM status: running", "VM status: paused", "QEMU does not answer"),
    ("XenVMMXenVMM", "TCGTCGTCGTCG", "the guest does not tell of Xen"),
    ("pci 5853:0001\n", "", "the guest does not tell of Xen's platform device"),
    ("@@sector-done@@\n", "", "the guest does not tell of its end"),
    ("@@sector-begin@@\n", "", "the guest does not tell of Xen"),
])
def test_not_believed(line, other, wrong):
    assert line in SAID
    assert judge(SAID.replace(line, other)) == wrong
