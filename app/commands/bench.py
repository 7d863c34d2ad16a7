"""`bench NAME`: one JSON line a figure."""

from __future__ import annotations

import click

NAMES = ("start", "pages", "live", "save", "ingest", "all")


@click.command("bench")
@click.argument("name", type=click.Choice(NAMES))
def command(name: str) -> None:
    """Measure this machine: {"bench", "metric", "value", "unit"}, a line a figure."""
    from app import bench

    bench.run(name)
