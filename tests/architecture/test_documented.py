"""Every command, option and setting stands in docs/operations.md, and nothing that does not exist does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from app import config
from app.cli import COMMANDS, cli

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text("utf-8")
ROWS = {row.split("`")[1]: row for row in TEXT.splitlines() if row.startswith("| `tomoshibi ")}


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from commands(command, f"{path} {name}")
            else:
                yield f"{path} {name}", command


ALL = dict(commands(cli, "tomoshibi"))


@pytest.mark.parametrize("path", ALL)
def test_each_command_is_documented_with_every_option_and_no_other(path: str) -> None:
    rows = [usage for usage in ROWS if usage == path or usage.startswith(path + " ")]
    assert len(rows) == 1, f"one row for `{path}` in docs/operations.md"
    documented = set(re.findall(r"--[a-z-]+", rows[0]))
    parameters = ALL[path].params
    assert documented == {
        flag for option in parameters if isinstance(option, click.Option) for flag in option.opts if flag[:2] == "--"
    }
    for argument in (parameter for parameter in parameters if isinstance(parameter, click.Argument)):
        assert (argument.name or "").upper() in rows[0]


def test_no_row_names_a_command_that_is_not_there() -> None:
    assert len(ROWS) == len(ALL)


def test_the_list_of_help_names_every_module() -> None:
    folder = Path(config.__file__).with_name("commands")
    modules = {path.stem.rstrip("_").replace("_", "-") for path in folder.glob("*.py")} - {"--init", "job"}
    assert modules == set(COMMANDS)


@pytest.mark.parametrize("name", config.names())
def test_each_setting_is_documented(name: str) -> None:
    assert f"`TOMOSHIBI_{name.upper()}`" in TEXT
    assert f"| `{name}` |" in TEXT or name == "home"
