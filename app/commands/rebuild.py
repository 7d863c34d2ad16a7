"""`rebuild`: the tables anew from the log, with an equal result."""

from __future__ import annotations

import click

from app.commands.job import home_option, open_node, settings_of


@click.command("rebuild")
@home_option
def command(home: str | None) -> None:
    """Make the tables anew from the log; refuses beside a running node."""
    with open_node(settings_of(home)) as node:
        node.rebuild()
        click.echo(f"rebuilt; digest {node.digest()['public']}")
