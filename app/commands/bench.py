"""`bench NAME`: one JSON line a figure."""

from __future__ import annotations

from pathlib import Path

import click

NAMES = (
    "start", "pages", "command", "replay", "live", "save", "ingest", "sync", "storm",
    "storm-tls", "slow", "growth", "depth", "map", "import", "all",
)  # fmt: skip


@click.command("bench")
@click.argument("name", type=click.Choice(NAMES))
@click.option(
    "--corpus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file to measure with: of reports (a line each), or for depth a hazard layer.",
)
def command(name: str, corpus: Path | None) -> None:
    """Measure this machine: {"bench", "metric", "value", "unit"}, a line a figure."""
    from app import bench

    if corpus is not None and name not in bench.TAKE_A_CORPUS:
        raise click.UsageError(f"{name} takes no corpus; {', '.join(bench.TAKE_A_CORPUS)} does")
    bench.run(name, corpus)
