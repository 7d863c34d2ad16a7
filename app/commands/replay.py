"""`replay`: an incident's totals as this node, or HQ, knew them at a given time."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, iso, json_option, print_json, settings_of


@click.command("replay")
@click.option("--at", required=True, metavar="TIME", help="ISO 8601, as 2026-06-12T21:00 (Japan's time).")
@click.option("--of", type=click.Choice(["node", "hub"]), help="Whose knowledge: this node's (default), or HQ's.")
@click.option("--node", "node_id", metavar="ID", help="The same by the id of a node: this one or the hub.")
@click.option("--incident", metavar="ID", help="Which incident; by default the newest one that was going on.")
@home_option
@json_option
def command(
    at: str, of: str | None, node_id: str | None, incident: str | None, home: str | None, as_json: bool
) -> None:
    """An incident's totals as they were known at TIME."""
    found = carry_out(settings_of(home), "replay", at=at, of=of, node_id=node_id, incident=incident)
    if as_json:
        print_json(found)
        return
    people, reports, shelters = found["people"], found["damage_reports"], found["shelters"]
    click.echo(f"{found['name']}, as {'the hub' if found['of'] == 'hub' else 'this node'} knew it at {found['at']}")
    value = "-" if people["value"] is None else f"{people['value']:,}"
    click.echo(f"people: {value}, from {people['reporting']} of {people['sources']} shelters")
    for name, counts in (("shelters", shelters), ("damage reports", reports), ("patrols", found["patrols"])):
        click.echo(f"{name}: {', '.join(f'{key} {number}' for key, number in counts.items())}")
    missing = f"; {found['missing']:,} more are not here" if found["missing"] else ""
    click.echo(f"from {found['operations']:,} operations{missing}")


def perform(node: Any, at: str, of: str | None, node_id: str | None, incident: str | None) -> dict[str, Any]:
    from app.queries import totals
    from app.replay.moment import moment
    from app.replay.past import View

    at_ms = moment(at)
    past = node.shelf.past(View(at_ms, _whose(node, of, node_id)))
    found = _incident(past, incident)
    told = totals.totals(past.reader(), found.id, at_ms)
    for name in ("as_of", "oldest_at"):
        told["people"][name] = None if told["people"][name] is None else iso(told["people"][name])
    head = {"incident_id": found.id, "name": found["name"], "at": iso(at_ms), "of": past.view.of}
    return {**head, "operations": past.operations, "missing": past.missing, **told}


def _whose(node: Any, of: str | None, node_id: str | None) -> Any:
    """By its word or by the id of the node. A hub's own knowledge is HQ's."""
    from app.errors import CommandFailed

    hub = node.hub_node.hex() if node.hub_node else None
    if node_id is not None and of is None:
        wanted = node_id.replace("-", "").lower()
        known = {node.node_id: "node", hub: "hub"}
        if wanted not in known:
            hint = (
                f"This node is {node.node_id}, the hub {hub or 'unknown'}: of others it does not know what they knew."
            )
            raise CommandFailed("unknown_node", f"what {node_id} knew cannot be told here", hint)
        of = known[wanted]
    return "node" if node.is_hub else of or "node"


def _incident(past: Any, wanted: str | None) -> Any:
    from app.errors import CommandFailed
    from app.queries import incidents

    if wanted is not None:
        found = incidents.get(past.reader(), wanted)
    else:
        found = next((line.incident for line in incidents.listed(past.reader())), None)
    if found is None:
        hint = "Ask for a later time, or list the incidents with GET /api/v1/incidents."
        raise CommandFailed("unknown_incident", "no such incident was known then", hint)
    return found
