"""How a node calls its hub: over TLS, to whoever the city's authority says is the hub, and to nobody else.

Before: ``sync/client`` wants a connection. After: it gets one whose other end is proved, with the name of the channel.
Until then the other end has heard a TLS handshake, and no byte of what this node knows.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.pki import leaf, peer
from app.pki.authority import BadTlsCertificate
from app.tls import door
from sync.client import CONNECT_S_MAX, Line
from sync.errors import LineRefused

if TYPE_CHECKING:
    from app.node import Node

HANDSHAKE_S_MAX = 5.0
ANSWER_BYTES_MAX = 16_384
ASKED_AGAIN_S = 60.0
HTTPS_PORT = 443
_HOSTNAME_MISMATCH = 62  # X509_V_ERR_HOSTNAME_MISMATCH
ASK_HQ = "Go on working: records stay here. Tell HQ, and do not use this network for anything else."
NO_LEAF = LineRefused(
    "no_leaf",
    "this node has no certificate to show, and the hub gives none",
    hint="Update the hub, and give it the city's authority with `tomoshibi pki init`.",
)
log = logging.getLogger(__name__)


class Dialler:
    """One for a node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._asked_s = -ASKED_AGAIN_S
        self._why = NO_LEAF  # of the last try to get a leaf

    def dial(self, url: str) -> Line | None:
        """A connection to the hub; None where the address is one in clear. Raises LineRefused, OSError."""
        if not url.startswith("https:"):
            return None
        if self._node.tls.is_due() and time.monotonic() - self._asked_s >= ASKED_AGAIN_S:
            self._asked_s = time.monotonic()
            self._fetch_leaf(url)
        own = self._node.tls.held
        if own.chain is None and self._node.settings.hub_ca is None:
            raise LineRefused(self._why.code, str(self._why), hint=self._why.hint)
        connection, who = connect(self._node, url)
        shown = connection.getpeercert(binary_form=True)
        assert shown is not None
        channel = peer.channel_of(shown, own.leaf) if own.chain is not None else b""
        return Line(connection, channel, who)

    def refused(self, code: str | None) -> None:
        """The hub took our leaf for none or for ended: our clock is not the one that counts."""
        if code in ("certificate_ended", "certificate_unknown", "certificate_needed"):
            self._node.tls.distrust_own()

    def _fetch_leaf(self, url: str) -> None:
        """A tablet that has one still goes on with it."""
        try:
            fetch_leaf(self._node, url)
        except LineRefused as error:
            self._why = NO_LEAF if error.code == "not_found" else error  # the door of an older release has no such
            log.warning("no leaf now: %s", error)
        except OSError as error:
            self._why = LineRefused("hub_unreachable", str(error) or "the hub did not answer")


def connect(node: Node, url: str, *, bare: bool = False) -> tuple[ssl.SSLSocket, bytes | None]:
    """A TLS connection and the node at its end. ``bare``: without showing a leaf. Raises LineRefused, OSError."""
    target = urlsplit(url)
    host, port = target.hostname or "", target.port or HTTPS_PORT
    settings = node.settings
    if settings.hub_ca is not None:
        context, name = _of_the_city_itself(node, bare), host
    else:
        context, name = node.tls.calling(bare=bare), leaf.HUB_NAME
    plain = socket.create_connection((host, port), timeout=CONNECT_S_MAX)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
    try:
        with _cut_after(plain_of(connection), HANDSHAKE_S_MAX):
            connection.do_handshake()
        who = None if settings.hub_ca is not None else _hub_at(node, connection)
    except ssl.SSLCertVerificationError as error:
        connection.close()
        raise _not_the_hub(error) from error
    except BaseException:
        connection.close()
        raise
    return connection, who


def fetch_leaf(node: Node, url: str) -> None:
    """Ask the hub for a leaf with the device key, and take it. Raises LineRefused, OSError."""
    certificate = node.certificate
    assert certificate is not None and node.root_public is not None
    request = node.tls.request()
    signature = node.replica.identity.key.sign(door.renewal_message(request))
    values = {"certificate": certificate.encode(), "request": request, "signature": signature}
    document = {"version": door.VERSION, **{name: value.hex() for name, value in values.items()}}
    answer = _post(node, url, "/enrol/v1/tls", document)
    try:
        authority, endorsement, own, above = (
            bytes.fromhex(answer[name]) for name in ("authority", "endorsement", "leaf", "above")
        )
        node.tls.adopt(node.root_public, authority, endorsement, (own, above))
    except (BadTlsCertificate, KeyError, TypeError, ValueError) as error:
        raise LineRefused("leaf_refused", f"what the hub gave is no certificate for this node: {error}") from error


def _post(node: Node, url: str, path: str, document: Any) -> Any:
    """One request to a door for strangers. Before the authority is pinned, the answer's own proof is what counts."""
    if node.tls.has_authority:
        connection, _ = connect(node, url, bare=True)
    else:
        connection = _unproved(url)
    target = urlsplit(url)
    caller = http.client.HTTPConnection(target.hostname or "", target.port)
    caller.sock = connection
    with contextlib.closing(caller), _cut_after(connection, 3 * HANDSHAKE_S_MAX):
        caller.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
        response = caller.getresponse()
        body = response.read(ANSWER_BYTES_MAX)
    try:
        answer = json.loads(body)
        if response.status == 200 and isinstance(answer, dict):
            return answer
        raise LineRefused(str(answer["code"]), f"the hub refused: {answer['detail']}", hint=str(answer["hint"]))
    except (ValueError, KeyError, TypeError) as error:
        raise LineRefused("hub_unclear", f"the hub answered with status {response.status}") from error


def _unproved(url: str) -> ssl.SSLSocket:
    target = urlsplit(url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection((target.hostname or "", target.port or HTTPS_PORT), timeout=CONNECT_S_MAX)
    return context.wrap_socket(plain)


def _of_the_city_itself(node: Node, bare: bool) -> ssl.SSLContext:
    """A hub with a certificate of another authority, which the setting `hub_ca` names: host and time are checked."""
    context = ssl.create_default_context(cafile=node.settings.hub_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if not bare and node.tls.held.chain is not None:
        node.tls.show(context)
    return context


def _hub_at(node: Node, connection: ssl.SSLSocket) -> bytes:
    shown = connection.getpeercert(binary_form=True)
    try:
        who = peer.read(shown or b"")
    except BadTlsCertificate as error:
        raise LineRefused("hub_other", f"who answers shows no leaf of a node: {error}", hint=ASK_HQ) from error
    if not who.speaks_for_the_hub or who.node_id is None:
        raise LineRefused("hub_not", "who answers is not the hub, but another device of the city", hint=ASK_HQ)
    if node.replica.is_revoked(who.node_id):
        raise LineRefused("hub_revoked", "who answers is a hub that was revoked", hint=ASK_HQ)
    if who.has_ended(node.tls.now()):
        raise LineRefused(
            "hub_ended",
            "the hub's certificate has ended by this node's clock",
            hint="Check this node's clock; then on the hub: `tomoshibi pki renew`.",
        )
    return who.node_id


def _not_the_hub(error: ssl.SSLCertVerificationError) -> LineRefused:
    if error.verify_code == _HOSTNAME_MISMATCH:
        return LineRefused("hub_not", "who answers is not the hub, but another device of the city", hint=ASK_HQ)
    return LineRefused("hub_other", "who answers shows a certificate of another authority", hint=ASK_HQ)


def plain_of(connection: ssl.SSLSocket) -> socket.socket:
    return connection


@contextlib.contextmanager
def _cut_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Whoever sends one byte at a time must not hold the caller for ever."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
