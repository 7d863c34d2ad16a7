"""The sheet that is printed once: what stands on it opens the recovery file, and the node keeps nothing of it."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
import segno
from click.testing import CliRunner

from app import cli
from app.birth import read_recovery
from app.errors import CommandFailed
from app.store import envelope
from sync import signing


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MEMORY_KIB", 64)
    monkeypatch.setattr(envelope, "TIME", 1)


def init(home: Path, *arguments: str) -> str:
    result = CliRunner().invoke(cli.cli, ["--home", str(home), "init", "--name", "本部<b>", *arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_secret_of_the_sheet_opens_the_recovery_file_and_stands_nowhere_else(tmp_path: Path) -> None:
    home, sheet = tmp_path / "hub", tmp_path / "sheet.html"
    born = json.loads(init(home, "--role", "hub", "--sheet", str(sheet), "--json"))
    page = sheet.read_text("utf-8")
    above, _, below = page.partition("<dl>")
    groups = re.findall(r"<b>([2-9A-Z]{4})</b>", above)
    secret = "-".join(groups)
    assert secret == born["recovery_secret"]
    root = read_recovery(home / "recovery.tomoshibi", secret.encode())
    fingerprint = signing.root_fingerprint(root.public).hex()
    assert "".join(re.findall(r"<b>([0-9a-f]{4})</b>", below)) == fingerprint
    assert segno.make(secret, error="m", micro=False).svg_inline(scale=4, omitsize=True) in page
    assert "本部&lt;b&gt;" in page and "recovery.tomoshibi" in page
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    plain = secret.replace("-", "").encode()
    for path in home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert plain not in data and secret.encode() not in data, path.name


def test_the_sheet_asks_nothing_of_another_machine(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.html"
    init(tmp_path / "hub", "--role", "hub", "--sheet", str(sheet))
    page = sheet.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|<script|<link|src=|url\(", page)


def test_an_existing_file_is_never_written_over_and_nothing_is_made(tmp_path: Path) -> None:
    sheet, home = tmp_path / "sheet.html", tmp_path / "hub"
    sheet.write_text("mine")
    with pytest.raises(CommandFailed, match="already"):
        init(home, "--role", "hub", "--sheet", str(sheet))
    with pytest.raises(CommandFailed, match="no folder"):
        init(home, "--role", "hub", "--sheet", str(tmp_path / "absent" / "sheet.html"))
    assert sheet.read_text() == "mine" and not home.exists()


def test_a_terminal_has_no_recovery_sheet(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="only a hub"):
        init(tmp_path / "terminal", "--role", "terminal", "--sheet", str(tmp_path / "sheet.html"))
    assert list(tmp_path.iterdir()) == []
