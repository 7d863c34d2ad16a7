"""`export`: a collection as a table for a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of


@click.command("export")
@click.argument("collection")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["csv", "xlsx"]), required=True, help="What FILE shall be.")
@click.option("--incident", metavar="ID", help="Only the records of this incident.")
@home_option
@json_option
def command(collection: str, file: Path, form: str, incident: str | None, home: str | None, as_json: bool) -> None:
    """Write COLLECTION into FILE; FILE must be new. What a channel shows to its members only stays out."""
    target = str(file.absolute())
    result = carry_out(settings_of(home), "export", collection=collection, file=target, form=form, incident=incident)
    if as_json:
        print_json(result)
        return
    click.echo(f"{result['file']}: {result['rows']:,} rows")


def perform(node: Any, collection: str, file: str, form: str, incident: str | None) -> dict[str, Any]:
    from app import spreadsheet
    from app.api import wire
    from app.errors import CommandFailed
    from app.queries import exports

    kind, target = _kind(collection), Path(file)
    if target.exists():
        raise CommandFailed("file_exists", f"{target.name} is there already", "Name a new file.")
    where = _where(node, kind, incident)
    counted = _Counted(exports.rows(node.reader, kind, where, wire.to_wire))
    with target.open("xb") as opened:
        target.chmod(0o600)
        if form == "xlsx":
            opened.write(spreadsheet.xlsx(exports.header(kind), counted))
        else:
            for line in spreadsheet.csv_lines(exports.header(kind), counted):
                opened.write(line.encode("utf-8", "replace"))
    return {"file": str(target), "collection": collection, "rows": counted.number}


def _kind(collection: str) -> Any:
    from app import permissions
    from app.errors import CommandFailed
    from app.records import KINDS

    readable = {name for _, action, name in permissions.TABLE if action == "read"} - {"attachments"}
    # What is sealed is shown to somebody who is logged in, and written down first: nobody is, here.
    offered = {kind.name: kind for kind in KINDS if kind.name in readable and not kind.sealed}
    if collection not in offered:
        hint = f"There are: {', '.join(sorted(offered))}."
        raise CommandFailed("unknown_collection", f"there is no collection {collection}", hint)
    return offered[collection]


def _where(node: Any, kind: Any, incident: str | None) -> Any:
    """Nobody is logged in at a command line: what only members see is left out."""
    from app.errors import CommandFailed
    from app.queries import channels, incidents
    from app.queries.row import Where

    where, db = Where(), node.reader()
    if incident is not None:
        if kind.city or incidents.get(db, incident) is None:
            hint = "List them with GET /api/v1/incidents; records of the city have none."
            raise CommandFailed("unknown_incident", f"{kind.name} has no incident {incident}", hint)
        where = where.also("incident_id = ?", incident)
    column = {"channels": "id", "chat-messages": "channel_id"}.get(kind.name)
    return where if column is None else channels.leave_out(db, where, column, channels.Viewer())


class _Counted:
    def __init__(self, rows: Any) -> None:
        self._rows, self.number = rows, 0

    def __iter__(self) -> Any:
        for row in self._rows:
            self.number += 1
            yield row
