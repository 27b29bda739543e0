# SPDX-License-Identifier: LGPL-2.1-only
"""The machine that stays up, to work in its dom0; the verbs up, exec, shell, push, down, status and fetch."""
