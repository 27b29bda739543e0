# SPDX-License-Identifier: LGPL-2.1-only
"""What can go wrong with the lab itself, as opposed to what it tests."""


class LabError(Exception):
    """Printed as one line; `code` is the exit status (71: a host resource is missing)."""

    code = 71


class NoPackage(LabError):
    """The archive has none of this name: nobody's fault, and a reason to leave out what needs it."""


class HostDead(LabError):
    """The emulated machine ended, or no longer answers."""


class Timeout(LabError):
    """One command took too long; the machine itself still answers."""
