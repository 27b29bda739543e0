# SPDX-License-Identifier: LGPL-2.1-only
"""Which requests are made to fail, and when what comes of it is right."""

import pytest

from lab.campaigns import fault_points
from lab.campaigns.fault_points import Request

TRACE = fault_points.parse_trace("""\
open 1 open
xen 1 xc_domain_claim_pages
xen 2 xc_domain_populate_physmap
xen 3 xc_domain_claim_pages
xen 4 xc_hvm_param_set
xen 5 xc_hvm_param_set
xen 6 xc_hvm_param_set
xen 7 xc_hvm_param_set
""")
MAP = Request("xen", 9, "xenforeignmemory_map")
POPULATE = Request("xen", 2, "xc_domain_populate_physmap")


def test_of_each_function_the_first_the_middle_and_the_last():
    assert [(r.name, r.number) for r in fault_points.sample(TRACE)] == [
        ("open", 1), ("xc_domain_claim_pages", 1), ("xc_domain_claim_pages", 3), ("xc_domain_populate_physmap", 2),
        ("xc_hvm_param_set", 4), ("xc_hvm_param_set", 6), ("xc_hvm_param_set", 7)]


def test_every_error_has_its_turn():
    chosen = fault_points.faults([Request("xen", n, "f") for n in range(6)])
    assert {error for _, error in chosen} == set(fault_points.ERRORS["xen"])


@pytest.mark.parametrize("request_, rc, said, left, wrong", [
    (MAP, 3, "pvboot: xen: mapping: errno 1\n", [], ""),
    (MAP, 3, "libxl: error\n", [], "0 lines tell why"),
    (MAP, 3, "pvboot: xen: mapping\npvboot: xen: again\n", [], "2 lines tell why"),
    (MAP, 3, "pvboot: xen: mapping\n", ["domains: new: 7"], "left behind: domains: new: 7"),
    (MAP, 0, "", [], "built all the same"),
    (POPULATE, 0, "", [], ""),
    (POPULATE, 0, "pvboot: xen: no memory\n", [], "built all the same"),
    (Request("alloc", 1, "malloc"), 1, "Failed to parse config: Cannot allocate memory\n", [], ""),
    (Request("open", 7, "fopen"), 134, "FATAL: error reading `/proc/x' in libgcrypt: Input/output error\n", [], ""),
    (Request("open", 7, "fopen"), 134, "FATAL: error reading `/proc/x' in libgcrypt: Input/output error\n", ["a domain"],
     "left behind: a domain"),
    (MAP, 134, "", [], "xl died or was late: exit 134"),
    (MAP, 139, "pvboot: xen: mapping\n", [], "xl died or was late: exit 139"),
])
def test_verdict(request_, rc, said, left, wrong):
    assert fault_points.judge(request_, rc, said, left) == wrong
