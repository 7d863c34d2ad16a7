"""`pin set`: make or replace the PIN that opens this node after a restart."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, pin_of, pin_option, print_json, settings_of


@click.group("pin")
def command() -> None:
    """The PIN that opens this node after a restart."""


@command.command("set")
@pin_option
@home_option
@json_option
def set_(pin_stdin: bool, home: str | None, as_json: bool) -> None:
    """Make the PIN, or replace it; from then on nobody reads this node's disk without it."""
    result = carry_out(settings_of(home), "pin", pin=pin_of(pin_stdin))
    if as_json:
        print_json(result)
    else:
        click.echo(f"PIN set, slot {result['id']}: after a restart this node is deaf until somebody types it.")


def perform(node: Any, pin: str) -> dict[str, Any]:
    from app.store import label
    from app.store.pin import set_pin

    label.keep(node.folder.label, label.Label(node.name, node.node_id))
    slot = set_pin(node.folder.keys, node.keys.slot_key, pin)
    return {"id": slot.id, "kind": slot.kind, "made_ms": slot.made_ms}
