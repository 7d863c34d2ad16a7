"""`verify`: whether a backup is what was written, and with its secret whether everything in it holds."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.job import home_option, iso, json_option, print_json, secret_of, secret_option, settings_of


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@secret_option
@home_option
@json_option
def command(file: Path, secret_file: Path | None, home: str | None, as_json: bool) -> None:
    """Check FILE, a backup; exit status 1 where it is damaged or was altered."""
    from app.backups.restore import verify

    result = verify(file, secret_of(settings_of(home), secret_file))
    if as_json:
        print_json(result)
        return
    click.echo(f"{file.name}: node {result['node_id']} as of {iso(result['made_at_ms'])}")
    if result["opened"]:
        click.echo(
            f"  {result['operations']:,} operations in {result['streams']} streams, {result['attachments']:,} files; "
            f"every page, chain and signature holds; digest {result['digest']}"
        )
    else:
        click.echo("  the files are as they were written; give --secret-file to have their contents examined")
