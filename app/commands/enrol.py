"""`enrol`: let this terminal into the city of a hub."""

from __future__ import annotations

from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of
from app.errors import CommandFailed


@click.command("enrol")
@click.option("--hub", metavar="URL", help="Address of the hub (setting hub_url).")
@click.option("--code", required=True, help="The code that `tomoshibi enrol-code` printed on the hub.")
@home_option
@json_option
def command(hub: str | None, code: str, home: str | None, as_json: bool) -> None:
    """Let this terminal into the city of a hub; it may write from then on."""
    settings = settings_of(home, hub_url=hub)
    if settings.hub_url is None:
        raise CommandFailed("no_hub", "no hub was named", "Give its address with --hub.")
    result = carry_out(settings, "enrol", hub_url=settings.hub_url, code=code)
    if as_json:
        print_json(result)
    else:
        click.echo(f"enrolled as {result['label']} {result['name']}, node {result['node_id']}")


def perform(node: Any, hub_url: str, code: str) -> dict[str, Any]:
    from app.enrol import enrol

    return enrol(node, hub_url, code)
