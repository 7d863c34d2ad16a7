"""`demo`: a hub on P, terminals on P+1 and P+2, an invented city and a drill incident."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.option("--port", type=click.IntRange(1, 65_533), default=8400, show_default=True, help="Port of the hub.")
@click.option("--dir", "folder", metavar="DIR", help="Where the three data folders lie; kept if named.")
def command(port: int, folder: str | None) -> None:
    """Run a hub and two terminals with an invented city; Ctrl-C stops them all."""
    from app import demo

    demo.run(port, None if folder is None else Path(folder))
