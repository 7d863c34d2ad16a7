"""`rekey`: both databases under a new key."""

from __future__ import annotations

import click

from app.commands.job import folder_of, home_option, json_option, opened_keys, print_json, settings_of


@click.command("rekey")
@click.option("--pin-stdin", is_flag=True, help="Read the PIN of a locked node from the first line of stdin.")
@home_option
@json_option
def command(pin_stdin: bool, home: str | None, as_json: bool) -> None:
    """Encrypt this node's databases anew, under a new key; refuses beside a running node."""
    from app.store.rekey import rekey

    settings = settings_of(home)
    folder = folder_of(settings)
    folder.require_node()
    with folder.lock():
        rekey(folder, opened_keys(settings, folder, pin_stdin))
    if as_json:
        print_json({"home": str(folder.path)})
    else:
        click.echo("Both databases lie under a new key. What was backed up before lies under the old one.")
