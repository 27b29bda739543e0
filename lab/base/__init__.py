# SPDX-License-Identifier: LGPL-2.1-only
"""What the lab needs of the machine it runs on: packages, kernels, files and programs made from them."""
