"""`revoke NODE`: what a lost device writes from now on does not count."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of
from app.errors import CommandFailed


@click.command("revoke")
@click.argument("node")
@click.option("--reason", default="", help="Why, for the record.")
@home_option
@json_option
def command(node: str, reason: str, home: str | None, as_json: bool) -> None:
    """Revoke NODE (its id, label or name): what this node does not hold of it yet will not count."""
    result = carry_out(settings_of(home), "revoke", named=node, reason=reason)
    if as_json:
        print_json(result)
    else:
        click.echo(f"revoked {result['label']} {result['name']}, node {result['node_id']}")


def perform(node: Any, named: str, reason: str) -> dict[str, Any]:
    node_id, found = named_node(node, named)
    if node_id == node.node_id:
        raise CommandFailed("own_node", "a node does not revoke itself", "Give the command on another issuer.")
    node.revoke(node_id, None, reason)  # None: what this node holds of it stays accepted
    return {"node_id": node_id, "name": found["name"], "label": found["label"]}


def named_node(node: Any, named: str) -> tuple[str, Any]:
    """(node id, record) of the one node that bears this id, label or name. Raises CommandFailed."""
    import uuid

    from app.queries import nodes

    ids = {uuid.UUID(found.id).hex: found for found in nodes.listed(node.reader())}
    fitting = {node_id: found for node_id, found in ids.items() if named in (node_id, found["label"], found["name"])}
    if len(fitting) != 1:
        problem = "no node is called" if not fitting else "several nodes are called"
        raise CommandFailed("unknown_node", f"{problem} {named}", "Name it by its node id; see the sync page.")
    ((node_id, found),) = fitting.items()
    return node_id, found
