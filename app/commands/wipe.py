"""`wipe`: this node's keys destroyed, then its files taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.commands.job import folder_of, home_option, json_option, open_node, print_json, settings_of
from app.errors import CommandFailed

if TYPE_CHECKING:
    from app.config import Settings


@click.command("wipe")
@click.option("--yes", is_flag=True, required=True, help="That this node shall be destroyed; nothing asks again.")
@click.option("--even-unsent", is_flag=True, help="Also where operations were never sent, or nobody can look.")
@home_option
@json_option
def command(yes: bool, even_unsent: bool, home: str | None, as_json: bool) -> None:
    """Destroy this node's keys and all that it holds; refuses beside a running node."""
    from app.store.wipe import wipe

    settings = settings_of(home)
    folder = folder_of(settings)
    if not even_unsent:
        _refuse_unsent(settings)
    with folder.lock():
        gone = wipe(folder)
    if as_json:
        print_json({"home": str(folder.path), "files": gone})
    else:
        click.echo(f"{folder.path}: keys destroyed, {gone} files taken away. On the hub: `tomoshibi revoke`.")


def _refuse_unsent(settings: Settings) -> None:
    with open_node(settings) as node:
        unsent = node.status()["unsent"]
        if node.is_hub:
            hint = "Make a backup of it first; then give --even-unsent."
            raise CommandFailed("is_hub", "this is a hub: what it holds may be nowhere else", hint)
    if unsent:
        hint = "Let it reach the hub first; or give --even-unsent, and they are lost."
        raise CommandFailed("unsent", f"{unsent} operations of this node were never sent", hint)
