"""`enrol-code`: a one-time code that lets one terminal in. Making it is the approval."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, iso, json_option, print_json, settings_of


@click.command("enrol-code")
@click.option("--as-heir", is_flag=True, help="Take this heir's sleeping certificate into use first.")
@home_option
@json_option
def command(as_heir: bool, home: str | None, as_json: bool) -> None:
    """Make a one-time code that lets one terminal in, within fifteen minutes."""
    made = carry_out(settings_of(home), "enrol_code", as_heir=as_heir)
    if as_json:
        print_json(made)
    else:
        click.echo(made["code"])
        click.echo(f"valid once, until {made['expires_at']}", err=True)


def perform(node: Any, as_heir: bool = False) -> dict[str, str]:
    from app import heirs
    from app.enrol_codes import make_code

    if as_heir:
        heirs.wake(node)
    made = make_code(node)
    return {"code": made.code, "expires_at": iso(made.expires_at)}
