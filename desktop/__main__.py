"""`python -m desktop`: a node and its window in one; closing the window ends the node."""

import sys
from pathlib import Path

import click

from desktop.errors import DesktopError
from desktop.server import NodeProcess, node_command
from desktop.window import open_window, require_window


@click.command()
@click.option("--home", type=click.Path(path_type=Path), envvar="TOMOSHIBI_HOME", help="the data folder")
@click.option("--port", type=click.IntRange(1, 65535), help="the node's port (default: a free one)")
@click.option("--url", help="show a node that already runs, start none")
def main(home: Path | None, port: int | None, url: str | None) -> None:
    """Open Tomoshibi in a window of its own."""
    if url is not None and port is not None:
        raise click.UsageError("--url shows a node that already runs; --port belongs to one started here")
    try:
        run(home, port, url)
    except DesktopError as error:
        click.echo(f"error: {error}\nhint: {error.hint}", err=True)
        sys.exit(1)


def run(home: Path | None, port: int | None, url: str | None) -> None:
    """Show a running node at `url`, or start one and end it with the window."""
    require_window()
    if url is not None:
        open_window(url)
        return
    with NodeProcess(node_command(home), port) as node:
        open_window(node.url)


if __name__ == "__main__":
    main()
