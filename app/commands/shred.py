"""`shred SCOPE`: destroy a sealed scope's keys, so that what was sealed to them can be opened nowhere again."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of
from app.errors import CommandFailed


@click.command("shred")
@click.argument("scope")
@click.option("--epoch", "epochs", type=click.IntRange(1), multiple=True, help="Only this epoch; may be repeated.")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--confirm", metavar="SCOPE", help="The scope's name once more: it cannot be undone.")
@home_option
@json_option
def command(
    scope: str, epochs: tuple[int, ...], reason: str, confirm: str | None, home: str | None, as_json: bool
) -> None:
    """Destroy the keys of SCOPE on every node, and what they had opened; on an issuer. It cannot be undone."""
    if confirm != scope:
        hint = f"Say it again with --confirm {scope}: nobody can ever read again what was sealed."
        raise CommandFailed("not_confirmed", f"to shred {scope} is for ever", hint)
    result = carry_out(settings_of(home), "shred", scope=scope, epochs=list(epochs), reason=reason)
    if as_json:
        print_json(result)
    else:
        click.echo(f"{result['keys']} keys of {scope} are destroyed here; `tomoshibi grants` shows who has followed")


def perform(node: Any, scope: str, epochs: list[int], reason: str) -> dict[str, Any]:
    return {"scope": scope, "keys": node.sealing.shred(scope, set(epochs) or None, reason)}
