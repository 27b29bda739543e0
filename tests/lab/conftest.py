# SPDX-License-Identifier: LGPL-2.1-only
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
