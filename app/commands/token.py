"""`token create`: a bearer token for the HTTP API."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, settings_of


@click.group("token")
def command() -> None:
    """Tokens for the HTTP API."""


@command.command("create")
@click.option("--user", required=True, metavar="NAME", help="Whose token it is.")
@home_option
def create(user: str, home: str | None) -> None:
    """Print a new token of a person, alone on one line; it is shown this once."""
    click.echo(carry_out(settings_of(home), "token", user=user))


def perform(node: Any, user: str) -> str:
    from app.accounts import Accounts

    return Accounts(node).make_token(user)
