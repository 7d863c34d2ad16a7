"""`make deep` tries thousands of examples of each property, new ones each time: the same tests, in a process apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.sync.examples import VARIABLE

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FILES = sorted(path.name for path in HERE.glob("test_*.py") if "unit.sync.examples import" in path.read_text("utf-8"))


@pytest.mark.deep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [name for name in FILES if name != Path(__file__).name])
def test_a_property_holds_for_many_examples(name: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "not deep and not soak",
        "--timeout",
        "880",
        str(HERE / name),
    ]
    found = subprocess.run(
        command, cwd=ROOT, env=os.environ | {VARIABLE: "many"}, capture_output=True, text=True, timeout=890
    )
    assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2_000:]
