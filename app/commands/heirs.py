"""`heirs`: devices that can let others in when the hub and the city's root are both gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.commands.job import carry_out, home_option, json_option, print_json, settings_of
from app.errors import CommandFailed

recovery_option = click.option(
    "--recovery-file", type=click.Path(path_type=Path), required=True, help="The city's recovery file."
)
secret_option = click.option(
    "--secret-file", type=click.Path(path_type=Path), required=True, help="Its secret, on the first line."
)


@click.group("heirs")
def command() -> None:
    """Who may let devices in when the hub is gone, in their order."""


@command.command("list")
@home_option
@json_option
def list_(home: str | None, as_json: bool) -> None:
    """The heirs in their order."""
    _tell(carry_out(settings_of(home), "heirs", action="list"), as_json)


@command.command("add")
@click.argument("node")
@recovery_option
@secret_option
@home_option
@json_option
def add(node: str, recovery_file: Path, secret_file: Path, home: str | None, as_json: bool) -> None:
    """Give NODE (its id, label or name) a sleeping issuer certificate, as the last of the heirs."""
    from app import heirs
    from app.pki.authority import BadTlsCertificate

    settings = settings_of(home)
    root = _root(recovery_file, secret_file)
    asked = carry_out(settings, "heirs", action="ask", named=node)
    _require_root(root, asked)
    if not asked["certificate"]:
        hint = "Add it after it has written something, or on the hub where it was enrolled."
        raise CommandFailed("no_certificate", "this node does not know the device's certificate yet", hint)
    try:
        # The root stays in this process: a node that runs gets what it made, and never the root.
        listed = heirs.signed(root, asked, heirs.sleeping(root, asked))
    except (ValueError, BadTlsCertificate) as error:
        hint = "Take another from the list first."
        raise CommandFailed("no_room", f"the list cannot be made: {error}", hint) from error
    kept = carry_out(settings, "heirs", action="keep", listed=listed, added=asked["node_id"])
    _tell(kept, as_json)


@command.command("remove")
@click.argument("node")
@recovery_option
@secret_option
@home_option
@json_option
def remove(node: str, recovery_file: Path, secret_file: Path, home: str | None, as_json: bool) -> None:
    """Take NODE from the list. A device that is not trusted any more has to be revoked as well."""
    from app import heirs

    settings = settings_of(home)
    root = _root(recovery_file, secret_file)
    asked = carry_out(settings, "heirs", action="ask", named=node)
    _require_root(root, asked)
    if asked["node_id"] not in [one for one, _ in asked["heirs"]]:
        raise CommandFailed("no_heir", f"{node} is not an heir", "See `tomoshibi heirs list`.")
    _tell(carry_out(settings, "heirs", action="keep", listed=heirs.signed(root, asked, None)), as_json)


def perform(node: Any, action: str, **arguments: Any) -> dict[str, Any]:
    from app import heirs
    from app.commands.revoke import named_node

    if action == "ask":
        return heirs.ask(node, named_node(node, arguments["named"])[0])
    if action == "keep":
        heirs.keep(node, arguments["listed"])
        if added := arguments.get("added"):
            return {"heirs": heirs.listed(node), "opens_sealed": heirs.share_sealed(node, added)}
    return {"heirs": heirs.listed(node)}


def _root(recovery_file: Path, secret_file: Path) -> Any:
    from app.birth import read_recovery
    from app.store.keys import read_passphrase

    return read_recovery(recovery_file, read_passphrase(secret_file))


def _require_root(root: Any, asked: dict[str, Any]) -> None:
    if root.public.hex() != asked["root_public"]:
        hint = "Check that the recovery file is this city's."
        raise CommandFailed("other_root", "the recovery file is of another city", hint)


def _tell(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    for heir in result["heirs"]:
        state = "revoked" if heir["revoked"] else "lets devices in" if heir["awake"] else "sleeping"
        click.echo(f"{heir['place']}  {heir['label']} {heir['name']}  {state}  node {heir['node_id']}")
    if not result["heirs"]:
        click.echo("no heirs")
    if result.get("opens_sealed") is False:
        click.echo("it cannot open what is sealed to HQ yet: see `tomoshibi grant`", err=True)
