"""Where the real open data lies that tests may read and the repository does not hold.

``TOMOSHIBI_SHARED_DATA`` names the folder; otherwise it is looked for beside the repository.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """The folder of the data, or a place in it; skips the test where it is not on this machine."""
    root = Path(os.environ.get("TOMOSHIBI_SHARED_DATA", "") or BESIDE)
    place = root.joinpath(*parts)
    if not place.exists():
        pytest.skip(f"the real open data is not here: {'/'.join(parts) or 'shared data'}")
    return place
