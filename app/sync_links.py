"""A node's links, joined to its store: the peers, the accepting side, and the call to the hub."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from app.locked_peers import LockedPeers
from app.queries import log as log_queries
from app.queries import nodes
from app.store.projection import id_bytes
from app.tls.dial import Dialler
from app.wishes import NodeWishes
from sync.actions import Opened
from sync.client import Client, Line
from sync.errands import Errands
from sync.frontiers import Steps
from sync.hub import Hub
from sync.kinds import REVOCATIONS
from sync.link import Link
from sync.log_reader import LogReader
from sync.peers import Peer, Peers
from sync.wishes import Wishes

if TYPE_CHECKING:
    from app.effects import Changed
    from app.node import Node

TICK_S = 1.0


class Links:
    def __init__(self, node: Node) -> None:
        self._node, self._blobs = node, node.blobs
        self._errands, wishes = Errands(), Wishes()
        self.wishes = NodeWishes(node, wishes)
        self._peers = Peers(
            replica=node.replica,
            writer=node.writer,
            now=node.clock,
            wall=node.wall,
            random=os.urandom,
            published=node.published,
            reader=lambda: LogReader(node.reader()),
            receipts_of=lambda peer: log_queries.receipts_of(node.reader(), peer),
            on_change=node.tell_links_changed,
            on_opened=self._opened,
            blobs=node.blobs,
            wishes=wishes,
            errands=self._errands.submit,
            later=_call_later,
            frontiers=Steps(node.reader, node.clock),
        )
        self.hub_side = Hub(self._peers)
        self._client = Client(self._hub_url, self._peers, random.random, self._dial)
        self._dialler = Dialler(node)
        self.locked = LockedPeers(node)
        self._stop = threading.Event()
        self._started = False

    def start(self) -> None:
        self._started = True
        self.wishes.start()
        threading.Thread(target=self._tick, name="ticks", daemon=True).start()
        if not self._node.is_hub:
            self._client.start()

    def stop(self) -> None:
        self._stop.set()
        if self._started and not self._node.is_hub:
            self._client.stop()
        self._errands.stop()

    def wake(self) -> None:
        self._peers.wake()

    def after_commit(self, changed: Changed, moved: Sequence[bytes]) -> None:
        """Tell the peers: what was written, which files are here now; and wish for what is newly named."""
        self.wishes.changed(changed)
        self._drop_revoked(changed)
        whole = self._blobs.whole_among(moved)
        if whole:
            self._peers.files_came([name for name in moved if name in whole])
        self.wake()

    def _drop_revoked(self, changed: Changed) -> None:
        """A revocation counts from when it is known here, whoever gave it: no link outlives it."""
        for kind, _, record in changed:
            node_id = id_bytes(record) if kind == REVOCATIONS.name else b""
            if node_id and self._node.replica.is_revoked(node_id):
                self.drop(node_id, "revoked", "this device was revoked")

    def want(self, name: bytes) -> None:
        self.wishes.want(name)
        self.wake()

    def try_now(self) -> None:
        self._client.try_now()

    def drop(self, node_id: bytes, code: str, text: str) -> None:
        self._peers.drop(node_id, code, text)

    def _hub_url(self) -> str | None:
        return self._node.hub_url if self._node.enrolled else None

    def _dial(self, url: str) -> Line | None:
        self._dialler.refused(self._client.last_code)
        return self._dialler.dial(url)

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            self._peers.tick()
            self._node.sealing.hear(self._hears())
            self.locked.watch()

    def _hears(self) -> bool:
        """Whether a link stands over which an order would come: to the hub, or, on the hub, to anybody."""
        peers = tuple(self._peers.peers.items())
        return any(peer.connected and (self._node.is_hub or name == self._node.hub_node) for name, peer in peers)

    def _opened(self, link: Link, event: Opened) -> None:
        if event.offset_ms is not None and "hub" in event.peer.capabilities:
            self._node.correct_clock(event.offset_ms)
            self._client.retry_ms_max = event.retry_ms_max

    # -- what people are shown -------------------------------------------------------------------

    def hub(self) -> dict[str, Any]:
        """{url, state, last_contact_at}: state is self, connected, down or none (no hub is known)."""
        node = self._node
        if node.is_hub:
            return {"url": None, "state": "self", "last_contact_at": None, "error": None, "code": None}
        if node.hub_url is None:
            return {"url": None, "state": "none", "last_contact_at": None, "error": None, "code": None}
        peer = self._peers.peers.get(node.hub_node or b"")
        state = "connected" if peer is not None and peer.connected else "down"
        error = (self._client.last_error or (peer.last_error if peer else None)) if state == "down" else None
        code = self._client.last_code if state == "down" else None
        contact = self._last_contact(peer)
        return {"url": node.hub_url, "state": state, "last_contact_at": contact, "error": error, "code": code}

    @property
    def next_try_s(self) -> float:
        """The pause before the next try of the hub, once the last one has failed."""
        return self._client.next_try_s

    def _last_contact(self, peer: Peer | None) -> int | None:
        """When the hub was last heard, also over a restart: its receipts are kept with their time."""
        if peer is not None and peer.last_contact_ms is not None:
            return peer.last_contact_ms
        return log_queries.last_receipt_at(self._node.reader(), self._node.hub_node or b"")

    def peers(self) -> list[dict[str, Any]]:
        """The other nodes: who, connected or not, last heard when."""
        met: list[dict[str, Any]] = [
            {
                "node_id": peer.node_id.hex(),
                "name": peer.name,
                "label": peer.label,
                "role": "hub" if "hub" in peer.capabilities else "terminal",
                "state": "connected" if peer.connected else "down",
                "last_contact_at": peer.last_contact_ms,
                "offset_ms": peer.offset_ms,
                "regressed": peer.regressed,
                "error": peer.last_error,
                "via": "direct",
            }
            for peer in sorted(self._peers.peers.values(), key=lambda peer: peer.label)
        ]
        known = met + self._unmet({peer["node_id"] for peer in met})
        return [{**peer, "locked_since_at": self.locked.since(peer)} for peer in known]

    def locked_terminals(self) -> list[dict[str, Any]]:
        """The terminals that were started again and wait to be unlocked."""
        names = ("node_id", "name", "label", "locked_since_at")
        return [{name: peer[name] for name in names} for peer in self.peers() if peer["locked_since_at"]]

    def _unmet(self, met: set[str]) -> list[dict[str, Any]]:
        """Whom this node should meet and has not since its start: a terminal its hub, the hub its terminals."""
        node = self._node
        hub = node.hub_node.hex() if node.hub_node else None
        return [
            {
                "node_id": name,
                "name": record["name"],
                "label": record["label"],
                "role": record["role"],
                "state": "down",
                "last_contact_at": self._last_contact(None) if name == hub else None,
                "offset_ms": None,
                "regressed": False,
                "error": self._client.last_error if name == hub else None,
                "via": "direct",
            }
            for record in nodes.listed(node.reader())
            if (name := record.id.replace("-", "")) not in met and name != node.node_id and (node.is_hub or name == hub)
        ]

    def suspects(self) -> list[dict[str, str]]:
        """Streams that were refused, as seen through a link."""
        return [
            {"stream": suspect.stream.hex(), "code": suspect.code, "text": suspect.text}
            for suspect in self._peers.suspects
        ]


def _call_later(ms: int, call: Callable[[], None]) -> None:
    timer = threading.Timer(ms / 1000, call)
    timer.daemon = True
    timer.start()
