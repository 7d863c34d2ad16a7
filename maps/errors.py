"""What can go wrong with a map file: one sentence with what to do. Knows nothing of the app.

Before: ``importers``, ``prepare`` and ``tiles`` raise these. After: ``app.imports`` makes the app's own error of them.
"""

from __future__ import annotations


class MapsError(Exception):
    """Base of the tree. ``code`` is stable; ``hint`` says what a person at HQ can do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class BadFile(MapsError):
    """The file itself cannot be used: broken, too large, incomplete, another thing than was said."""


class Unclear(MapsError):
    """The file may be used once a person has said what it does not say: its reference system, its unit."""


class ForeignAsset(MapsError):
    """A rendered map would load something from another host: a fault of the program, never of a file."""

    def __init__(self, message: str) -> None:
        super().__init__("foreign_asset", message, "Report this; it is a fault of the program.")
