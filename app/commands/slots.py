"""`slots`: what opens this node's keys, and since when."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, folder_of, home_option, iso, json_option, print_json, settings_of


@click.command("slots")
@click.option("--remove", metavar="ID", help="Take this slot away; never the last.")
@home_option
@json_option
def command(remove: str | None, home: str | None, as_json: bool) -> None:
    """What opens this node's keys: file, passphrase, pin, recovery."""
    from app.store.keys import slots_of

    settings = settings_of(home)
    folder = folder_of(settings)
    folder.require_node()
    slots = slots_of(folder.keys) if remove is None else carry_out(settings, "slots", remove=remove)
    if as_json:
        print_json({"slots": slots})
        return
    for slot in slots:
        click.echo(f"{slot['id']}  {slot['kind']:<10}  {iso(slot['made_ms'])}")


def perform(node: Any, remove: str) -> list[dict[str, Any]]:
    from app.store.keys import remove_slot, slots_of

    remove_slot(node.folder.keys, remove)
    return slots_of(node.folder.keys)
