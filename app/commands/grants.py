"""`grants`: the keys of sealed scopes, who can open with them, and how far each shredding has come."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, iso, json_option, print_json, settings_of


@click.command("grants")
@click.option("--open", "open_again", is_flag=True, help="Open what is sealed in a store that was put back, unheard.")
@home_option
@json_option
def command(open_again: bool, home: str | None, as_json: bool) -> None:
    """List the keys of sealed scopes with who can open them, and the shred orders with who has carried them out."""
    found = carry_out(settings_of(home), "grants", open_again=open_again)
    if as_json:
        print_json(found)
        return
    if found["closed"]:
        click.echo("This store was put back: nothing sealed is opened until another node was heard.")
    for key in found["keys"]:
        state = "shredded" if key["shredded"] else ", ".join(member["label"] for member in key["members"])
        click.echo(f"{key['scope']} epoch {key['epoch']}: {state or 'nobody'}")
    for order in found["orders"]:
        done, lacking = len(order["receipts"]), ", ".join(order["lacking"])
        click.echo(f"shred order {order['id']} of {order['at']}: carried out by {done}, not by {lacking or 'nobody'}")


def perform(node: Any, open_again: bool = False) -> dict[str, Any]:
    from app.queries import nodes

    if open_again and node.sealing.closed:
        node.sealing.open()
    found: dict[str, Any] = node.sealing.status()
    labels = {record.id.replace("-", ""): record["label"] for record in nodes.listed(node.reader())}
    for key in found["keys"]:
        key["members"] = [{"node_id": name, "label": labels.get(name, name)} for name in key["members"]]
    for order in found["orders"]:
        order["at"] = iso(order["at"])
        order["lacking"] = sorted(label for name, label in labels.items() if name not in order["receipts"])
    return found
