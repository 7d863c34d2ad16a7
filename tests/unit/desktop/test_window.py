"""What the window program says when this machine cannot show a window."""

import sys

import pytest
from click.testing import CliRunner

from desktop.__main__ import main


def test_a_missing_extra_is_one_clear_error_and_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webview", None)
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 1
    assert "error: the desktop extra is not installed" in result.stderr
    assert "hint: pip install 'tomoshibi[desktop]'" in result.stderr


def test_a_running_node_has_its_port_in_its_url() -> None:
    result = CliRunner().invoke(main, ["--url", "http://localhost:8400/", "--port", "8400"])
    assert result.exit_code == 2
    assert "--port belongs to one started here" in result.stderr
