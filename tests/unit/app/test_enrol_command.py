"""`enrol` on the command line: it shows the six digits, and waits until somebody at the hub has decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.commands import enrol as command
from app.errors import CommandFailed

DONE = {"state": "enrolled", "node_id": "ab" * 16, "name": "巡回A", "label": "T01", "hub_url": "http://hub.test"}
WAITING = {"state": "waiting", "short_code": "012345", "hub_url": "http://hub.test"}
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give the command; the node answers with ``answers``, and is asked as is noted in ``run.asked``."""
    monkeypatch.setattr(command, "ASK_AGAIN_SECONDS", 0)

    def give(answers: list[Any], *arguments: str) -> tuple[Any, list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = []

        def carry_out(settings: Any, verb: str, **named: Any) -> Any:
            asked.append(named)
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(command, "carry_out", carry_out)
        return CliRunner().invoke(command.command, ["--home", str(tmp_path), *arguments], obj={}), asked

    return give


def test_a_code_of_the_command_line_is_done_at_once(run: Run) -> None:
    result, asked = run([DONE], "--hub", "http://hub.test", "--code", "X")
    assert result.exit_code == 0 and "T01" in result.stdout and result.stderr == ""
    assert asked == [{"hub_url": "http://hub.test", "code": "X"}]


def test_a_code_of_the_page_shows_its_digits_and_asks_until_there_is_an_answer(run: Run) -> None:
    result, asked = run([WAITING, WAITING, DONE], "--link", "tomoshibi://enrol?hub=http://hub.test&code=X")
    assert result.exit_code == 0 and "012 345" in result.stderr and "enrolled as T01" in result.stdout
    assert asked[0]["code"].startswith("tomoshibi:") and asked[1:] == [{"hub_url": None, "code": None}] * 2


def test_a_refusal_ends_the_waiting(run: Run) -> None:
    refused = CommandFailed("refused", "the hub refused this device", "Ask whoever made the code.")
    result, _ = run([WAITING, refused], "--link", "tomoshibi://enrol?hub=http://hub.test&code=X")
    assert result.exception is refused


@pytest.mark.parametrize("arguments", [(), ("--code", "X", "--link", "Y")])
def test_one_of_code_and_link_is_needed(run: Run, arguments: tuple[str, ...]) -> None:
    result, asked = run([], *arguments)
    assert result.exit_code == 2 and asked == []


def test_a_code_needs_the_address_of_its_hub(run: Run) -> None:
    result, asked = run([], "--code", "X")
    assert isinstance(result.exception, CommandFailed) and asked == []
