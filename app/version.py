"""The release of this program, as its package says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("tomoshibi")
except PackageNotFoundError:  # run from a folder that was never installed
    VERSION = "0+unknown"
