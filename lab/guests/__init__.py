# SPDX-License-Identifier: LGPL-2.1-only
"""What guests boot, what they print, and what the emulation lets them do."""
