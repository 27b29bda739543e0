# SPDX-License-Identifier: LGPL-2.1-only
"""The emulated machine with Xen and dom0: made, started, spoken to, given what make built."""
