"""`import`: a city's own files, read and checked in a child process, then handed to the node as a whole."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.job import carry_out, folder_of, home_option, json_option, print_json, settings_of
from app.errors import CommandFailed

if TYPE_CHECKING:
    from app.child import Progress
    from app.config import Settings

KINDS = ("shelters", "staff", "hazard", "boundary", "basemap")
FAULTS_PRINTED = 20


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Read and check, and change nothing.")
@click.option("--title", help="What the layer is called.")
@click.option("--source", help="Where the data is from.")
@click.option("--credit", help="The line that must be shown with it.")
@click.option("--licence", help="The licence of the data.")
@click.option("--data-date", help="How old the data is, as its source says it: 2023, 2017-03-31.")
@click.option("--crs", metavar="CODE", help="The reference system, where the file does not say it: EPSG:6668.")
@click.option(
    "--scenario", type=click.Choice(("max", "plan")), help="The scale of the flood, where the file does not say."
)
@click.option("--group", help="Keeps layers of one kind apart: the river or the area.")
@click.option("--values", type=click.Choice(("rank", "metres")), help="What bare numbers of a depth column are.")
@click.option("--municipality", metavar="NAME", help="Of a boundary file of several: the city's code or name.")
@click.option("--force", is_flag=True, help="Also what lies outside of this city.")
@home_option
@json_option
def command(kind: str, file: Path, dry_run: bool, force: bool, home: str | None, as_json: bool, **said: Any) -> int:
    """Import KIND (shelters, staff, hazard, boundary, basemap) from FILE; exit status 1 where nothing was taken."""
    from app.imports.run import made

    settings = settings_of(home)
    about = _ask(settings, dry_run)
    with (
        _terminable(),
        _progress() as on_progress,
        made(kind, file, said, city=about["city"], force=force, on_progress=on_progress) as result,
    ):
        taken = _hand_over(settings, result, dry_run, known=about["node"])
    report = _report(result, taken, dry_run)
    if as_json:
        print_json(report)
    else:
        _print(report)
    return 0 if report["accepted"] else 1


def _ask(settings: Settings, dry_run: bool) -> dict[str, Any]:
    """What the node says before: whether it may take master data, and where its city lies."""
    from app.store.errors import StoreMissing

    try:
        folder_of(settings).require_node()
    except StoreMissing:
        if dry_run:
            return {"node": False, "city": None}  # a file may be checked where no node is
        raise
    answer: dict[str, Any] = carry_out(settings, "import_", step="ask")
    if not answer["may"] and not dry_run:
        raise CommandFailed(
            "not_the_hub",
            "this node may not change the city's own data",
            "Import at the hub: every terminal gets it from there.",
        )
    return {"node": True, "city": answer["city"]}


def _hand_over(settings: Settings, result: Mapping[str, Any], dry_run: bool, known: bool) -> dict[str, Any]:
    """Give the node what the child made; of a dry run the lists only, to be compared."""
    lists = {name: result.get(name) for name in ("shelters", "staff")}
    if dry_run and not (known and any(lists.values())):
        return {"faults": []}
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # from here on it is quicker to end than to stop
    try:
        layers = [] if dry_run else result["layers"]
        answer: dict[str, Any] = carry_out(settings, "import_", step="take", layers=layers, **lists, dry_run=dry_run)
        return answer
    finally:
        signal.signal(signal.SIGINT, before)


def perform(
    node: Any,
    step: str,
    layers: list[dict[str, Any]] | None = None,
    shelters: str | None = None,
    staff: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """In the process that has the store: ``ask`` says what is known, ``take`` keeps what the child made."""
    from app.imports import take

    if step == "ask":
        return {"may": take.may(node), "city": take.city(node)}
    lists = (Path(path) if path else None for path in (shelters, staff))
    return take.take(node, layers or [], *lists, dry_run=dry_run)


def _report(result: Mapping[str, Any], taken: Mapping[str, Any], dry_run: bool) -> dict[str, Any]:
    report = dict(result["report"])
    report["faults"] = [*report["faults"], *taken.get("faults", ())]
    shown = ("key", "title", "scenario", "crs", "feature_count", "repaired", "bbox", "zooms", "credit", "data_date")
    report["layers"] = [
        {name: layer["fields"].get(name) for name in shown}
        | {"files": [{"role": file["role"], "size": file["size"]} for file in layer["files"]]}
        for layer in result["layers"]
    ]
    counts = {name: taken[name] for name in ("created", "changed", "unchanged") if name in taken}
    replaced = list(taken.get("replaced", ()))
    return {**report, **counts, "replaced": replaced, "dry_run": dry_run}


def _print(report: Mapping[str, Any]) -> None:
    done = "would take" if report["dry_run"] else "took"
    click.echo(f"read {report['read']}, {done} {report['accepted']}, left out {report['skipped']}")
    for layer in report["layers"]:
        sizes = ", ".join(f"{file['role']} {file['size'] / 1e6:.1f} MB" for file in layer["files"])
        click.echo(f"  {layer['title']} [{layer['key']}] {layer['crs']}, {layer['repaired'] or 0} repaired; {sizes}")
    for old in report["replaced"]:
        keep = "; --group NAME keeps both" if old["kind"] == "basemap" else ""
        click.echo(f"  took the place of {old['title']} [{old['key']}]{keep}")
    if "created" in report:
        click.echo(f"  new {report['created']}, changed {report['changed']}, as before {report['unchanged']}")
    for fault in report["faults"][:FAULTS_PRINTED]:
        click.echo("  " + _line(fault))
    if (more := len(report["faults"]) - FAULTS_PRINTED) > 0:
        click.echo(f"  and {more} more: see --json")


def _line(fault: Mapping[str, Any]) -> str:
    where = f"line {fault['line']}" if fault["line"] else "the file"
    value = f" {fault['value']!r}" if fault["value"] else ""
    proposal = f" → {fault['proposal']}" if fault["proposal"] else ""
    return f"{where}: {fault['field'] or ''}{value} {fault['problem']}{proposal}".replace("  ", " ")


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, so that the folder with what was made is removed."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal; nothing where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda what, done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def show(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of if of > 1 else None)

        yield show
