# SPDX-License-Identifier: LGPL-2.1-only
"""Many builds on one machine, and what they cost or leave; the verbs bench, soak, faults and confine."""
