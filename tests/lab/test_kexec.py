# SPDX-License-Identifier: LGPL-2.1-only
"""What xl logs of a soft reset that libxl refuses."""

import pytest

from lab.cases import kexec


@pytest.mark.parametrize("log, fine", [
    ("Action for shutdown reason code 5 is soft-reset\nDone. Rebooting now\nlibxl: libxl_domain_destroy: x\n", True),
    ("Action for shutdown reason code 3 is restart\nDone. Rebooting now\nlibxl: libxl_domain_destroy: x\n", False),
    ("Action for shutdown reason code 5 is soft-reset\nDone. Rebooting now\n", False),
])
def test_a_soft_reset_that_libxl_refuses(log, fine):
    assert bool(kexec.REFUSED.search(log)) == fine
