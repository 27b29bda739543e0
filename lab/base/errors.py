# SPDX-License-Identifier: LGPL-2.1-only
"""What can go wrong with the lab itself, as opposed to what it tests; the words and codes are pvboot's own."""


class LabError(Exception):
    """Printed as one line; `word` is its class, `code` the exit status."""

    word, code = "host", 71


class Usage(LabError):
    """What was asked for is not there to be had."""

    word, code = "usage", 64


class Malformed(LabError):
    """A file is not what it should be."""

    word, code = "malformed", 65


class Unreadable(LabError):
    """A file is absent, or cannot be read or written."""

    word, code = "unreadable", 66


class NoPackage(LabError):
    """The archive has none of this name: nobody's fault, and a reason to leave out what needs it."""


class HostDead(LabError):
    """The emulated machine ended, or no longer answers."""


class Timeout(LabError):
    """One command took too long; the machine itself still answers."""
