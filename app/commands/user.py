"""`user add`, `user code`, `user reset`: who may log in on this node."""

from __future__ import annotations

import sys
from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of

PASSPHRASE_CHARS_READ = 1_024


@click.group("user")
def command() -> None:
    """People who log in on this node."""


@command.command("add")
@click.argument("name")
@click.option("--role", required=True, help="admin, commander, hq_operator, shelter_staff, patrol or viewer.")
@click.option("--team", default=None, help="The name of a team that is known here: what it is told, NAME is told.")
@click.option("--password-stdin", is_flag=True, help="Read the passphrase from the first line of stdin.")
@home_option
@json_option
def add(name: str, role: str, team: str | None, password_stdin: bool, home: str | None, as_json: bool) -> None:
    """Add NAME; without a passphrase a one-time code for the login page is printed."""
    settings = settings_of(home)
    passphrase = None
    if password_stdin:
        passphrase = sys.stdin.readline(PASSPHRASE_CHARS_READ).rstrip("\r\n")
    result = carry_out(settings, "user", name=name, role=role, passphrase=passphrase, team=team)
    if as_json:
        print_json(result)
    elif result["code"]:
        click.echo(f"added {name}; one-time code: {result['code']}")
    else:
        click.echo(f"added {name}")


@command.command("code")
@click.argument("name")
@home_option
@json_option
def code(name: str, home: str | None, as_json: bool) -> None:
    """A one-time code with which NAME, who is known here, logs in on this node for the first time."""
    _tell(carry_out(settings_of(home), "user", name=name, does="code"), as_json)


@command.command("reset")
@click.argument("name")
@home_option
@json_option
def reset(name: str, home: str | None, as_json: bool) -> None:
    """Take NAME's passphrase, second factor and sessions on this node away, and print a one-time code."""
    _tell(carry_out(settings_of(home), "user", name=name, does="reset"), as_json)


def _tell(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
    else:
        click.echo(f"one-time code for {result['name']}: {result['code']}")


def perform(
    node: Any, name: str, role: str = "", passphrase: str | None = None, does: str = "add", team: str | None = None
) -> dict[str, Any]:
    from app.accounts import Accounts

    accounts = Accounts(node)
    if does != "add":
        person = accounts.named(name)
        given = accounts.code_for(name) if does == "code" else accounts.reset(person.id, None)
        return {"id": person.id, "name": person.name, "role": person.role, "code": given}
    added = accounts.add_user(name, role, passphrase, team=team and _team(node, team))
    return {"id": added.id, "name": name, "role": role, "code": added.code}


def _team(node: Any, name: str) -> str:
    """The id of the team of that name. Raises Invalid where none is known here."""
    from app.errors import Invalid
    from app.queries import teams

    found = {known: team_id for team_id, known in teams.names(node.reader()).items()}
    if name not in found:
        hint = "Known: " + ", ".join(sorted(found)) if found else "Import a staff list, or make the team first."
        raise Invalid("unknown_team", f"there is no team {name}", hint, field="team")
    return found[name]
