"""`restore`: a backup becomes the node of a data folder; refuses beside a running one."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.job import (
    folder_of,
    home_option,
    iso,
    json_option,
    passphrase_of,
    print_json,
    secret_of,
    secret_option,
    settings_of,
)
from app.errors import CommandFailed


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Set aside the node that is there; nothing of it is deleted.")
@secret_option
@home_option
@json_option
def command(file: Path, replace: bool, secret_file: Path | None, home: str | None, as_json: bool) -> None:
    """Put the node of a backup back; what it gave out after the backup comes back from the other nodes."""
    from app.backups.restore import restore

    settings = settings_of(home)
    secret = secret_of(settings, secret_file)
    if secret is None:
        raise CommandFailed("no_secret", "nothing says what opens the backup", "Give --secret-file FILE.")
    result = restore(file, secret, folder_of(settings), passphrase_of(settings), replace=replace)
    if as_json:
        print_json(result)
        return
    click.echo(f"node {result['node_id']} as of {iso(result['made_at_ms'])}, in {result['home']}")
    click.echo(f"  {result['operations']:,} operations, {result['attachments']:,} files")
    if result["set_aside"]:
        click.echo(f"  what was there lies in {result['set_aside']}")
    click.echo("Never run the machine that it was taken from beside this one.")
