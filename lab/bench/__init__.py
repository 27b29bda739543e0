# SPDX-License-Identifier: LGPL-2.1-only
"""What a build costs, stock beside ours (docs/bench.md); the verb bench."""
