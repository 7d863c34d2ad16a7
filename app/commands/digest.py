"""`digest`: recomputed from the tables, so that two nodes can be compared."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of


@click.command("digest")
@home_option
@json_option
def command(home: str | None, as_json: bool) -> None:
    """The digest of what is known, recomputed from the tables."""
    digest = carry_out(settings_of(home), "digest")
    if as_json:
        print_json(digest)
    else:
        click.echo(digest["public"])


def perform(node: Any) -> Any:
    return node.digest()
