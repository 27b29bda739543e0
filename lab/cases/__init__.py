# SPDX-License-Identifier: LGPL-2.1-only
"""Cases: one guest each, from its xl.cfg to the verdict; the verbs run, list and demo."""
