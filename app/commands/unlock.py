"""`unlock`: open a locked node that runs, by its PIN; or set a new PIN with the city's recovery file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.job import folder_of, home_option, json_option, pin_of, pin_option, print_json, settings_of
from app.errors import CommandFailed

if TYPE_CHECKING:
    from app.store.folder import DataFolder


@click.command("unlock")
@click.option("--recovery-file", type=click.Path(path_type=Path), help="The city's recovery file.")
@click.option("--secret-file", type=click.Path(path_type=Path), help="Its secret, on the first line.")
@pin_option
@home_option
@json_option
def command(
    recovery_file: Path | None, secret_file: Path | None, pin_stdin: bool, home: str | None, as_json: bool
) -> None:
    """Open a locked node with its PIN; with the recovery file set a new PIN, where the old one is gone."""
    from app import control

    if (recovery_file is None) != (secret_file is None):
        raise click.UsageError("--recovery-file and --secret-file go together.")
    folder = folder_of(settings_of(home))
    folder.require_node()
    pin = pin_of(pin_stdin)
    arguments = {"pin": pin}
    if recovery_file is not None and secret_file is not None:
        arguments["slot_key"] = _recovered(folder, recovery_file, secret_file).hex()
    result = control.call(folder.control, "unlock", arguments)
    if result is None:
        result = _alone(folder, **arguments)
    if as_json:
        print_json(result)
    else:
        click.echo("unlocked" if result["running"] else "The new PIN is set. Now start the node, and type it.")


def _recovered(folder: DataFolder, recovery_file: Path, secret_file: Path) -> bytes:
    """The slot key. The city's root and its recovery key never leave this process."""
    from app.birth import read_recovery
    from app.recovery import seed_of
    from app.store.keys import keys_by_recovery, read_passphrase

    root = read_recovery(recovery_file, read_passphrase(secret_file))
    return keys_by_recovery(folder.keys, seed_of(root.seed)).slot_key


def _alone(folder: DataFolder, pin: str, slot_key: str | None = None) -> dict[str, Any]:
    from app.store.pin import set_pin

    if slot_key is None:
        hint = "Start it with `tomoshibi serve`, then unlock it; or give the recovery file to set a new PIN."
        raise CommandFailed("not_running", "this node does not run", hint)
    with folder.lock():
        set_pin(folder.keys, bytes.fromhex(slot_key), pin)
    return {"running": False}


def perform(node: Any, pin: str, slot_key: str | None = None) -> dict[str, Any]:
    raise CommandFailed("not_locked", "this node is open already", "To change its PIN use `tomoshibi pin set`.")
