"""What the command `pki` asks of a node. Before: ``commands/pki``, through the control socket or on an open store."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

from app import recovery as city_recovery
from app.errors import CommandFailed, NotFound
from app.pki import authority, files, leaf, peer
from app.records import shape
from app.store.envelope import SECRET_ALPHABET
from app.tls import dial, issued

if TYPE_CHECKING:
    from app.node import Node

NO_AUTHORITY = "On the hub: `tomoshibi pki init --recovery-file FILE --secret-file FILE`."


def ask(node: Node) -> dict[str, Any]:
    """What the city's root shall sign, to make this node an issuer."""
    _require_may_enrol(node)
    return {"node_id": node.node_id, "request": node.tls.request_issuing().hex()}


def take(node: Node, authority: str, endorsement: str, issuing: str, recovery: str) -> dict[str, Any]:
    _require_may_enrol(node)
    given = (bytes.fromhex(value) for value in (authority, endorsement, issuing))
    root_public = node.root_public or b""
    node.tls.take_issuing(root_public, *given)
    city_recovery.take(node, root_public, bytes.fromhex(recovery))
    return show(node)


def show(node: Node) -> dict[str, Any]:
    held = node.tls.held
    own = held.own
    given = issued.listed(node.reader())
    return {
        "authority": authority.fingerprint(held.authority).hex() if held.authority else None,
        "issues": node.tls.issues,
        "leaf": None if own is None else {"serial": own.serial, "ends_ms": own.ends_ms, "names": sorted(own.names)},
        "given": given,
    }


def renew(node: Node) -> dict[str, Any]:
    if node.tls.issues:
        node.tls.renew_own(always=True)
        return show(node)
    url = node.hub_url or ""
    if not node.enrolled or not url.startswith("https:"):
        raise CommandFailed("no_issuer", "this node has no hub that it calls over TLS", "Enrol it, or see `hub_url`.")
    try:
        dial.fetch_leaf(node, url)
    except OSError as error:
        raise CommandFailed("hub_unreachable", f"the hub at {url} does not answer: {error}", "Try again.") from error
    return show(node)


def issue(node: Node, name: str) -> dict[str, Any]:
    """A browser's certificate: its key is made here and kept nowhere."""
    issuer = node.tls.held.issuer
    if issuer is None:
        raise CommandFailed("no_tls_authority", "this node gives no TLS certificates", NO_AUTHORITY)
    name = shape.text(64, lines=False)("name", name)
    key, now, password = authority.new_key(), node.tls.now(), _password()
    made = leaf.issue_browser(issuer, key.public_key(), name, secrets.token_bytes(16), now)
    node.local_write(lambda connection: issued.keep(connection, made, name, now))
    packed = files.browser_file(name, key, (made, issuer.der, node.tls.held.authority), password)
    given = peer.read(made)
    return {
        "name": name,
        "serial": given.serial,
        "ends_ms": given.ends_ms,
        "password": password,
        "file": base64.b64encode(packed).decode(),
    }


def withdraw(node: Node, serial: str) -> dict[str, Any]:
    now = node.tls.now()
    if not node.local_write(lambda connection: issued.withdraw(connection, serial, now)):
        raise NotFound(
            "unknown_serial", f"no browser's certificate has the serial {serial}", "See `tomoshibi pki show`."
        )
    return {"serial": serial}


def export(node: Node, form: str) -> dict[str, Any]:
    held = node.tls.held
    if not held.authority:
        raise CommandFailed("no_tls_authority", "this node knows no TLS authority of its city", NO_AUTHORITY)
    packed = base64.b64encode(files.authority_file(held.authority, form)).decode()
    return {"fingerprint": authority.fingerprint(held.authority).hex(), "format": form, "file": packed}


def _require_may_enrol(node: Node) -> None:
    if node.certificate is None or "enrol" not in node.certificate.capabilities:
        raise CommandFailed("not_an_issuer", "this node may not enrol devices", "Give the command on the hub.")


def _password() -> str:
    """79 bits, to be typed once: what the file's own key derivation is worth does not matter then."""
    signs = [secrets.choice(SECRET_ALPHABET) for _ in range(16)]
    return "-".join("".join(signs[at : at + 4]) for at in range(0, 16, 4))


ACTIONS = {action.__name__: action for action in (ask, take, show, renew, issue, withdraw, export)}
