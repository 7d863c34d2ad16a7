"""`status`: what this node knows."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, iso, json_option, print_json, settings_of


@click.command("status")
@home_option
@json_option
def command(home: str | None, as_json: bool) -> None:
    """What this node knows."""
    status = carry_out(settings_of(home), "status")
    if as_json:
        print_json(status)
        return
    hub = status["hub"]
    click.echo(f"{status['name']} ({status['role']}), node {status['node_id']}")
    click.echo(f"hub: {hub['url'] or '-'}, {hub['state']}")
    click.echo(f"last contact with it: {hub['last_contact_at'] or '-'}")
    for one in status["locked"]:
        click.echo(f"started again and locked: {one['label']} {one['name']}, since {one['locked_since_at']}")
    click.echo(f"not yet at the hub: {status['unsent']} operations")
    for name in ("conflicts", "quarantined", "awaited"):
        click.echo(f"{name}: {status[name]}")
    click.echo(f"digest: {status['digest']}")


def perform(node: Any) -> dict[str, Any]:
    status = dict(node.status())
    last = status["hub"]["last_contact_at"]
    status["hub"] = {**status["hub"], "last_contact_at": iso(last) if last else None}
    status["locked"] = [{**one, "locked_since_at": iso(one["locked_since_at"])} for one in status["locked"]]
    return status
