"""`grant NODE`: let a node open what is sealed, also what was sealed before."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of


@click.command("grant")
@click.argument("node")
@click.option("--scope", default="hq", show_default=True, help="Whose sealed records.")
@home_option
@json_option
def command(node: str, scope: str, home: str | None, as_json: bool) -> None:
    """Let NODE (its id, label or name) open what is sealed to a scope; on an issuer."""
    result = carry_out(settings_of(home), "grant", named=node, scope=scope)
    if as_json:
        print_json(result)
    else:
        click.echo(f"{result['label']} {result['name']} can open {scope}: {result['epochs']} keys granted")


def perform(node: Any, named: str, scope: str) -> dict[str, Any]:
    from app.commands.revoke import named_node

    node_id, found = named_node(node, named)
    epochs = node.sealing.grant(bytes.fromhex(node_id), scope)
    return {"node_id": node_id, "name": found["name"], "label": found["label"], "scope": scope, "epochs": epochs}
