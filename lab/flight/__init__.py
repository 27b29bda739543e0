# SPDX-License-Identifier: LGPL-2.1-only
"""Boot paths compared on a real Xen: flights of jobs, their record, and what it shows."""
