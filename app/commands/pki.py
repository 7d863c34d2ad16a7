"""`pki`: the city's TLS authority, the certificates of nodes and browsers, their renewal, and files for devices."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import click

from app.commands.job import carry_out, home_option, iso, json_option, print_json, settings_of
from app.errors import CommandFailed

out_option = click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write; it is new.")


@click.group("pki")
def command() -> None:
    """The city's TLS authority, and the certificates that it gave."""


@command.command("init")
@click.option("--recovery-file", type=click.Path(path_type=Path), required=True, help="The city's recovery file.")
@click.option("--secret-file", type=click.Path(path_type=Path), required=True, help="Its secret, on the first line.")
@home_option
@json_option
def init(recovery_file: Path, secret_file: Path, home: str | None, as_json: bool) -> None:
    """Give this node an issuing authority: a hub of an older release, or one whose store was lost."""
    from app import recovery
    from app.birth import read_recovery
    from app.pki import authority, leaf
    from app.store.keys import read_passphrase

    settings = settings_of(home)
    asked = carry_out(settings, "pki", action="ask")
    root = read_recovery(recovery_file, read_passphrase(secret_file))
    public = leaf.read_request(bytes.fromhex(asked["request"]))
    issuing = authority.issue_intermediate(root.seed, public, bytes.fromhex(asked["node_id"]))
    # The root stays in this process: a node that runs gets what it made, and never the root.
    given = {
        "authority": authority.city_authority(root.seed).der.hex(),
        "endorsement": authority.endorse(root.seed).hex(),
        "issuing": issuing.hex(),
        "recovery": recovery.signed_public(root).hex(),
    }
    _tell(carry_out(settings, "pki", action="take", **given), as_json)


@command.command("show")
@home_option
@json_option
def show(home: str | None, as_json: bool) -> None:
    """The city's authority, this node's certificate, and all that this node gave."""
    _tell(carry_out(settings_of(home), "pki", action="show"), as_json)


@command.command("renew")
@home_option
@json_option
def renew(home: str | None, as_json: bool) -> None:
    """A new certificate for this node: a hub gives it to itself, a terminal asks its hub."""
    _tell(carry_out(settings_of(home), "pki", action="renew"), as_json)


@command.command("issue")
@click.argument("name")
@out_option
@home_option
@json_option
def issue(name: str, out: Path, home: str | None, as_json: bool) -> None:
    """A certificate for a browser at HQ, called NAME, in PKCS#12; its password is printed once."""
    made = carry_out(settings_of(home), "pki", action="issue", name=name)
    _write_new(out, base64.b64decode(made.pop("file")))
    if as_json:
        print_json({**made, "file": str(out.absolute())})
        return
    click.echo(f"{out}: for {name}, until {iso(made['ends_ms'])}, serial {made['serial']}")
    click.echo(f"  password  {made['password']}   (shown this once)")


@command.command("withdraw")
@click.argument("serial")
@home_option
@json_option
def withdraw(serial: str, home: str | None, as_json: bool) -> None:
    """Let the browser with the certificate SERIAL in no more, on this node. Of a node: see `revoke`."""
    result = carry_out(settings_of(home), "pki", action="withdraw", serial=serial)
    if as_json:
        print_json(result)
    else:
        click.echo(f"withdrawn: {result['serial']}")


@command.command("export")
@click.option("--format", "form", type=click.Choice(["pem", "der", "mobileconfig"]), default="pem", show_default=True)
@out_option
@home_option
@json_option
def export(form: str, out: Path, home: str | None, as_json: bool) -> None:
    """The city's authority as a file, for the browsers and the device management that shall trust it."""
    made = carry_out(settings_of(home), "pki", action="export", form=form)
    _write_new(out, base64.b64decode(made.pop("file")))
    if as_json:
        print_json({**made, "file": str(out.absolute())})
    else:
        click.echo(f"{out}: SHA-256 {made['fingerprint']}")


def perform(node: Any, action: str, **arguments: Any) -> dict[str, Any]:
    from app.pki.authority import BadTlsCertificate
    from app.tls import desk

    try:
        return desk.ACTIONS[action](node, **arguments)
    except BadTlsCertificate as error:
        raise CommandFailed(
            "bad_tls_certificate", str(error), "Check that the recovery file is this city's."
        ) from error


def _write_new(out: Path, data: bytes) -> None:
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with open(handle, "wb") as file:
        file.write(data)


def _tell(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    authority, own = result["authority"], result["leaf"]
    click.echo(f"city's authority: {authority or 'none'}")
    click.echo(f"this node: {'until ' + iso(own['ends_ms']) if own else 'no certificate'}")
    if own:
        click.echo(f"  names: {', '.join(own['names'])}")
    click.echo(f"gives certificates: {'yes' if result['issues'] else 'no'}")
    for given in result["given"]:
        state = "withdrawn" if given["withdrawn_at"] else f"until {iso(given['ends_at'])}"
        click.echo(f"  {given['kind']} {given['name']}, {state}, serial {given['serial']}")
