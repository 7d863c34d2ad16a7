"""`enrol`: let this terminal into the city of a hub."""

from __future__ import annotations

import time
from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of
from app.errors import CommandFailed

ASK_AGAIN_SECONDS = 2.0


@click.command("enrol")
@click.option("--hub", metavar="URL", help="Address of the hub (setting hub_url).")
@click.option("--code", help="The code that the hub made (`tomoshibi enrol-code`, or its page of devices).")
@click.option("--link", metavar="TEXT", help="The link of the hub's page: address and code in one.")
@home_option
@json_option
def command(hub: str | None, code: str | None, link: str | None, home: str | None, as_json: bool) -> None:
    """Let this terminal into the city of a hub; it may write from then on."""
    if (code is None) == (link is None):
        raise click.UsageError("Give --code with --hub, or --link.")
    settings = settings_of(home, hub_url=hub)
    if settings.hub_url is None and link is None:
        raise CommandFailed("no_hub", "no hub was named", "Give its address with --hub.")
    result = carry_out(settings, "enrol", hub_url=settings.hub_url, code=code or link)
    if result["state"] == "waiting":
        digits = f"{result['short_code'][:3]} {result['short_code'][3:]}"
        click.echo(f"{digits}  compare with the hub's page; waiting for somebody there to approve", err=True)
    while result["state"] == "waiting":
        time.sleep(ASK_AGAIN_SECONDS)
        result = carry_out(settings, "enrol", hub_url=None, code=None)
    if as_json:
        print_json(result)
    else:
        click.echo(f"enrolled as {result['label']} {result['name']}, node {result['node_id']}")


def perform(node: Any, hub_url: str | None, code: str | None) -> dict[str, Any]:
    """Begin with a code; without one go on with what was begun."""
    from app.enrol import enrol, go_on

    return go_on(node) if code is None else enrol(node, hub_url, code)
