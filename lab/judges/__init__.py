# SPDX-License-Identifier: LGPL-2.1-only
"""What is right: what was handed over, what a guest found and reads back, what it left behind."""
