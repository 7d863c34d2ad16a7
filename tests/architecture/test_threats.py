"""Each threat of docs/security.md says what holds and names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAD = "| threat | what holds | proved by |"
LINES_MIN = 15


def threats(text: str) -> list[list[str]]:
    """The cells of each line of the table."""
    table = text.partition(HEAD)[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def faults_of(lines: list[list[str]], root: Path) -> list[str]:
    """The lines that say nothing, and the tests they name that are not there."""
    faults = []
    for cells in lines:
        named = re.findall(r"`(tests/[^`]+)`", cells[-1])
        if len(cells) != 3 or not all(cells) or not named:
            faults.append(cells[0])
        faults += [name for name in named if not (root / name).is_file() or not Path(name).name.startswith("test_")]
    return faults


def test_each_threat_names_tests_that_are_there() -> None:
    lines = threats((ROOT / "docs" / "security.md").read_text("utf-8"))
    assert len(lines) >= LINES_MIN
    assert faults_of(lines, ROOT) == []


def test_a_planted_line_without_a_proof_is_found() -> None:
    planted = f"{HEAD}\n| --- | --- | --- |\n| thunder | a rod | hope |\n| rain | a roof | `tests/test_roof.py` |\n\n"
    assert faults_of(threats(planted), ROOT) == ["thunder", "tests/test_roof.py"]
