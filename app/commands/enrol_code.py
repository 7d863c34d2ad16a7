"""`enrol-code`: a one-time code that lets one terminal in. Making it is the approval."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, iso, json_option, print_json, settings_of


@click.command("enrol-code")
@home_option
@json_option
def command(home: str | None, as_json: bool) -> None:
    """Make a one-time code that lets one terminal in, within fifteen minutes."""
    made = carry_out(settings_of(home), "enrol_code")
    if as_json:
        print_json(made)
    else:
        click.echo(made["code"])
        click.echo(f"valid once, until {made['expires_at']}", err=True)


def perform(node: Any) -> dict[str, str]:
    from app.enrol_codes import make_code

    made = make_code(node)
    return {"code": made.code, "expires_at": iso(made.expires_at)}
