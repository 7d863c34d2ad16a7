"""`revoke NODE`: what a lost device writes from now on does not count."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of
from app.errors import CommandFailed

JAPAN = timezone(timedelta(hours=9))


@click.command("revoke")
@click.argument("node")
@click.option("--reason", default="", help="Why, for the record.")
@click.option("--until", metavar="TIME", help="Of what is here, let only that count which had arrived by then.")
@click.option("--accept", is_flag=True, help="NODE is revoked: let what has arrived since count.")
@home_option
@json_option
def command(node: str, reason: str, until: str | None, accept: bool, home: str | None, as_json: bool) -> None:
    """Revoke NODE (its id, label or name): what this node does not hold of it yet will not count."""
    if accept and (until or reason):
        raise click.UsageError("--accept goes with neither --until nor --reason.")
    until_ms = None if until is None else _moment(until)
    result = carry_out(settings_of(home), "revoke", named=node, reason=reason, until_ms=until_ms, accept=accept)
    if as_json:
        print_json(result)
    else:
        verb = "accepted what had arrived of" if accept else "revoked"
        click.echo(f"{verb} {result['label']} {result['name']}, node {result['node_id']}")


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"--until {text} is no time, as in 2026-11-29T15:00.") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=JAPAN)).timestamp() * 1000)


def perform(node: Any, named: str, reason: str, until_ms: int | None = None, accept: bool = False) -> dict[str, Any]:
    from app import revoking

    node_id, found = named_node(node, named)
    if accept:
        revoking.accept(node, node_id, None)
    else:
        revoking.revoke(node, node_id, until_ms, reason, None)
    return {"node_id": node_id, "name": found["name"], "label": found["label"]}


def named_node(node: Any, named: str) -> tuple[str, Any]:
    """(node id, record) of the one node that bears this id, label or name. Raises CommandFailed."""
    import uuid

    from app.queries import nodes

    ids = {uuid.UUID(found.id).hex: found for found in nodes.listed(node.reader())}
    fitting = {node_id: found for node_id, found in ids.items() if named in (node_id, found["label"], found["name"])}
    if len(fitting) != 1:
        problem = "no node is called" if not fitting else "several nodes are called"
        raise CommandFailed("unknown_node", f"{problem} {named}", "Name it by its node id; see the page of devices.")
    ((node_id, found),) = fitting.items()
    return node_id, found
