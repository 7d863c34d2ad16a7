"""`init`: keys and an empty encrypted store; a hub also makes the city's root."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.job import folder_of, home_option, json_option, passphrase_of, print_json, settings_of

if TYPE_CHECKING:
    from app.birth import Born


@click.command("init")
@click.option("--role", type=click.Choice(["hub", "terminal"]), help="What the node begins as.")
@click.option("--name", help="Its name, as people will read it.")
@click.option("--sheet", type=click.Path(path_type=Path), help="A new file for the recovery sheet, to print (HTML).")
@home_option
@json_option
def command(role: str | None, name: str | None, sheet: Path | None, home: str | None, as_json: bool) -> None:
    """Make a node in a data folder that holds none; an existing one is never changed."""
    from app import birth

    settings = settings_of(home)
    folder = folder_of(settings)
    birth.refuse_existing(folder)
    role = role or _ask("role", click.Choice(["hub", "terminal"]))
    name = name or _ask("name", str)
    if sheet is not None:
        _require_sheet(role, sheet)
    born = birth.make_node(folder, role, name, settings, passphrase_of(settings))
    if sheet is not None:
        _write_sheet(sheet, born)
    if as_json:
        print_json(born.as_dict())
    else:
        _print_sheet(born)


def _ask(option: str, kind: Any) -> str:
    """The only question that any command asks, and only of a person at a terminal."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"Missing option '--{option}'.")
    with contextlib.suppress(EOFError):
        answer: str = click.prompt(option, type=kind)
        return answer
    raise click.UsageError(f"Missing option '--{option}'.")


def _require_sheet(role: str, sheet: Path) -> None:
    from app import recovery_sheet
    from app.errors import CommandFailed

    if role != "hub":
        raise CommandFailed("no_root", "only a hub makes the city's root", "Leave --sheet out.")
    recovery_sheet.refuse_existing(sheet)


def _write_sheet(sheet: Path, born: Born) -> None:
    from app import recovery_sheet

    document = json.loads(Path(born.recovery_file or "").read_bytes())
    recovery_sheet.write(sheet, born, bytes.fromhex(document["root_public"]), time.time_ns() // 1_000_000)
    click.echo(f"recovery sheet in {sheet}: print it, then delete the file", err=True)


def _print_sheet(born: Born) -> None:
    click.echo(f"{born.role} {born.name}: node {born.node_id}, in {born.home}")
    if born.role == "terminal":
        click.echo("Next: on the hub `tomoshibi enrol-code`, then here `tomoshibi enrol --hub URL --code CODE`.")
        return
    click.echo("")
    click.echo("Print this sheet and keep it apart from the machine. It is shown this once.")
    click.echo(f"  recovery file    {born.recovery_file}   (copy it to a medium that is kept elsewhere)")
    click.echo(f"  recovery secret  {born.recovery_secret}")
    click.echo(f"  administrator    {born.admin_code}   (one-time code for the login page, 24 hours)")
