"""`backup`: this node in one encrypted file, also while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, secret_of, secret_option, settings_of


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@secret_option
@home_option
@json_option
def command(file: Path, secret_file: Path | None, home: str | None, as_json: bool) -> None:
    """Write this node into FILE; where nothing is named that seals it, a new secret is printed, once."""
    from app.store.envelope import as_passphrase, new_secret

    settings = settings_of(home)
    given = secret_of(settings, secret_file)
    printed = None if given else new_secret()
    secret = given or as_passphrase((printed or "").encode())
    result = carry_out(settings, "backup", file=str(file.absolute()), secret=secret.hex()) | {"secret": printed}
    if as_json:
        print_json(result)
        return
    click.echo(f"{result['file']}: {result['size'] / 1e6:.1f} MB")
    if printed:
        click.echo(f"  secret  {printed}   (shown this once; keep it apart from the file)")
    click.echo(f"Check it with `tomoshibi verify {file}`.")


def perform(node: Any, file: str, secret: str) -> dict[str, Any]:
    from app.backups.make import make

    return make(node, Path(file), bytes.fromhex(secret))
