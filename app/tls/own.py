"""This node's TLS, as the rest of the program asks for it: contexts, requests, answers that are taken, renewal.

Before: ``node`` makes one of these. After: ``server``, ``dial``, ``door`` and `pki`.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.config import is_loopback
from app.pki import authority, leaf, peer
from app.pki.authority import BadTlsCertificate
from app.store import meta
from app.tls import contexts
from app.tls.held import Held

if TYPE_CHECKING:
    from app.node import Node

DAY_MS = 86_400_000
RENEW_MS_BEFORE = 200 * DAY_MS  # half of a leaf's life: a tablet that lay in a box for half a year still comes in
OFFSET_KEPT_MS = 3_600_000
LOOKED_EVERY_S = 3_600.0
log = logging.getLogger(__name__)


class OwnTls:
    def __init__(self, node: Node, found: Held) -> None:
        self._node, self._held = node, found
        self._serving: list[tuple[ssl.SSLContext, Callable[[bytes], None]]] = []
        self._calling: tuple[Held, ssl.SSLContext] | None = None
        self._distrusted = False  # the hub did not take our leaf, whatever our clock says
        self._stop = threading.Event()

    def start(self) -> None:
        """Look now and then whether the own leaf is half over: a hub may run for years."""
        if self.issues:
            threading.Thread(target=self._watch, name="tls-renewal", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(LOOKED_EVERY_S):
            if self.is_due():
                self.renew_own()

    @property
    def held(self) -> Held:
        return self._held

    @property
    def has_authority(self) -> bool:
        return bool(self._held.authority)

    @property
    def issues(self) -> bool:
        return bool(self._held.issuing)

    def now(self) -> int:
        """The city's time as well as this node knows it: a tablet ten years ahead still takes the hub's leaf."""
        if self._node.clock_offset_ms or self._node.is_hub:
            return self._node.clock()
        kept = meta.read_text(self._node.reader(), "hub_offset_ms")
        return self._node.wall() + int(kept or 0)

    def keep_offset(self, offset_ms: int) -> None:
        """Over a restart, too; an hour is near enough for leaves that hold for a year."""
        kept = int(meta.read_text(self._node.reader(), "hub_offset_ms") or 0)
        if abs(offset_ms - kept) >= OFFSET_KEPT_MS:
            self._node.writer.submit(lambda replica: meta.write(replica.connection, "hub_offset_ms", str(offset_ms)), 0)

    # -- what is held ----------------------------------------------------------------------------

    def keep(self, found: Held) -> None:
        """Durably; connections from now on show it."""
        self._node.local_write(found.write)
        self._held, self._distrusted = found, False
        if found.chain is not None:  # a key that waits for its leaf is nothing that another file must know
            self._node.keep_identity()
            for context, told in self._serving:
                contexts.show(context, found)
                told(found.leaf)

    def request(self) -> bytes:
        """A request for a leaf. The key is born here, and is kept before anybody hears of it."""
        if not self._held.key:
            self.keep(self._held.with_key())
        return leaf.request(self._held.private)

    def adopt(self, root_public: bytes, authority_der: bytes, endorsement: bytes, chain: tuple[bytes, bytes]) -> None:
        """Take a leaf that an issuer gave. Raises BadTlsCertificate unless all of it is the city's and this node's."""
        authority.check_endorsed(root_public, authority_der, endorsement)
        if self._node.enrolled and self.has_authority and authority_der != self._held.authority:
            raise BadTlsCertificate("the city's TLS authority is another than the one that is pinned here")
        found = peer.check_chain(authority_der, chain)
        if found.node_id != self._node.replica.identity.node_id:
            raise BadTlsCertificate("the leaf is for another node")
        own = self._held.with_key()
        if not own.key or peer.public_of(chain[0]) != own.private.public_key():
            raise BadTlsCertificate("the leaf is for another key")
        made = {"authority": authority_der, "endorsement": endorsement, "leaf": chain[0], "above": chain[1]}
        self.keep(Held(**{**_fields(own), **made}))

    def request_issuing(self) -> bytes:
        """A request for an issuing authority, for whoever holds the city's root."""
        if not self._held.issuing_key:
            self.keep(replace(self._held, issuing_key=authority.key_bytes(authority.new_key())))
        return leaf.request(self._held.issuing_private)

    def take_issuing(self, root_public: bytes, authority_der: bytes, endorsement: bytes, issuing: bytes) -> None:
        """Become an issuer of the city's, with what the root made for `request_issuing`. Raises BadTlsCertificate."""
        authority.check_endorsed(root_public, authority_der, endorsement)
        made = {"authority": authority_der, "endorsement": endorsement}
        key = self._held.issuing_key
        self._become_issuer(Held(**{**_fields(self._held), **made}), issuing, key)
        self.renew_own(always=True)

    def adopt_intermediate(self, issuing: bytes) -> None:
        """An heir's issuing authority, made with the root for the key of its leaf: it sleeps until it is the hub."""
        self._become_issuer(self._held, issuing, self._held.key)

    def _become_issuer(self, own: Held, issuing: bytes, key: bytes) -> None:
        node_id = self._node.replica.identity.node_id
        if not key or peer.node_of_issuing(issuing) != node_id:
            raise BadTlsCertificate("the issuing authority is for another node")
        trial = replace(own, issuing=issuing, issuing_key=key)
        if peer.public_of(issuing) != trial.issuing_private.public_key():
            raise BadTlsCertificate("the issuing authority is for another key")
        made = trial.renewed(node_id, self._node.label, (), self.now(), hub=False)
        peer.check_chain(own.authority, (made.leaf, made.above))  # what it would give holds up to the city's authority
        self.keep(trial)

    # -- renewal ---------------------------------------------------------------------------------

    def renew_own(self, *, always: bool = False) -> bool:
        """An issuer's own leaf: where it is missing, is half over or lacks a name that the settings have."""
        if not self.issues:
            return False
        own, names = self._held.own, self.own_names()
        as_hub = self._node.is_hub
        fits = own is not None and set(names) <= own.names and (leaf.HUB_NAME in own.names) == as_hub
        if fits and not self.is_due() and not always:
            return False
        node = self._node
        self.keep(self._held.renewed(node.replica.identity.node_id, node.label, names, self.now(), hub=as_hub))
        log.info("this node gave itself a new leaf")
        return True

    def is_due(self) -> bool:
        own = self._held.own
        return own is None or self._distrusted or self.now() > own.ends_ms - RENEW_MS_BEFORE

    def distrust_own(self) -> None:
        self._distrusted = True

    def own_names(self) -> tuple[str, ...]:
        """Hosts and addresses that browsers know this node by: of the settings, and those of the machine itself."""
        settings = self._node.settings
        named = [name.strip().lower() for name in settings.names.split(",") if name.strip()]
        if is_loopback(settings.host):
            return tuple(named)
        return tuple(dict.fromkeys(named + _addresses(settings.host)))

    # -- contexts --------------------------------------------------------------------------------

    def serving(self, told: Callable[[bytes], None]) -> ssl.SSLContext:
        """A context to serve with; ``told`` hears each leaf that it shows from then on."""
        context = contexts.serving(self._held)
        self._serving.append((context, told))
        told(self._held.leaf)
        return context

    def calling(self, *, bare: bool = False) -> ssl.SSLContext:
        """A context to call with; ``bare``: without showing the leaf, as at the door for strangers."""
        if bare:
            return contexts.calling(self._held, bare=True)
        if self._calling is None or self._calling[0] is not self._held:
            self._calling = (self._held, contexts.calling(self._held))
        return self._calling[1]

    def show(self, context: ssl.SSLContext) -> None:
        contexts.show(context, self._held)


def _fields(found: Held) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Held.__slots__}


def _addresses(host: str) -> list[str]:
    """The address that was asked for; for "all of them", those that this machine says it has."""
    try:
        asked = ipaddress.ip_address(host)
    except ValueError:
        return [host.lower()]
    if not asked.is_unspecified:
        return [str(asked)]
    found = {str(entry[4][0]) for entry in _resolved(socket.gethostname())} | _outward()
    usable = [address for address in found if "%" not in address and not ipaddress.ip_address(address).is_loopback]
    return ["127.0.0.1", *sorted(usable)[:12]]


def _resolved(host: str) -> list[Any]:
    try:
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []


def _outward() -> set[str]:
    """The address that this machine would speak from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return {str(probe.getsockname()[0])}
        except OSError:
            return set()
