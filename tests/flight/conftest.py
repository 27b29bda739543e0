# SPDX-License-Identifier: LGPL-2.1-only
"""Small records without a machine."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from flight_samples import INSPECTED, guest, job, stock_handover, zero_page_guest, zero_page_handover  # noqa: E402
from lab.flight import model  # noqa: E402
from lab.flight.model import Cell  # noqa: E402
from lab.flight.record import Record  # noqa: E402


@pytest.fixture
def record() -> Record:
    empty = {name: 0 for name in zero_page_handover()["zero_page"]}
    stock = job("xl-pvh", stock_handover(), guest(zero_page={**empty, "type_of_loader": 0x90}))
    ours = job("linux32", zero_page_handover(), zero_page_guest())
    whole = Record({"record": "flight", "id": "test", "started": "2026-11-21T08:00:00Z", "built": "x", "xen": "4.17",
                    "kernels": {"6.1": INSPECTED}}, {})
    for one in (stock, ours, model.job_without_run(Cell("686", "xl-pv"), model.BLOCKED, "PV: no Xen notes in the ELF")):
        whole.jobs[one.cell.id] = one
    return whole
