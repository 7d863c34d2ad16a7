"""Every link of a node, in and out: makes their sessions, wakes them after a commit, knows who was met when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sync.actions import Branched, Opened, Regressed, Suspect
from sync.blobs import Blobs
from sync.fetching import Files
from sync.link import Link
from sync.local import Frontiers, Local
from sync.log_reader import LogReader
from sync.replica import Committed, Replica
from sync.session import Session
from sync.version_vector import Vector
from sync.wishes import Wishes
from sync.writer import Writer

RETRY_MS_PER_50_TERMINALS = 250
RETRY_MS_MAX = 10_000
SUSPECTS_MAX = 200


@dataclass(slots=True)
class Peer:
    """What is known of another node from links; never replicated."""

    node_id: bytes
    name: str
    label: str
    capabilities: frozenset[str]
    connected: bool = False
    last_contact_ms: int | None = None
    offset_ms: int | None = None
    regressed: bool = False
    last_error: str | None = None


@dataclass
class Peers:
    replica: Replica
    writer: Writer
    now: Callable[[], int]
    wall: Callable[[], int]  # this machine's clock, uncorrected: what hellos compare
    random: Callable[[int], bytes]
    published: Callable[[], Committed]
    reader: Callable[[], LogReader]
    receipts_of: Callable[[bytes], Vector]
    on_change: Callable[[], None] = lambda: None
    on_opened: Callable[[Link, Opened], None] = lambda link, event: None
    blobs: Blobs | None = None
    wishes: Wishes = field(default_factory=Wishes)
    errands: Callable[[Callable[[], None]], None] = lambda call: call()
    later: Callable[[int, Callable[[], None]], None] = lambda ms, call: None
    frontiers: Frontiers | None = None
    peers: dict[bytes, Peer] = field(default_factory=dict)
    suspects: list[Suspect] = field(default_factory=list)
    _links: set[Link] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def new_link(
        self,
        *,
        caller: bool,
        send: Callable[[bytes], None],
        hang_up: Callable[[], None],
        channel: bytes = b"",
        channel_peer: bytes | None = None,
    ) -> Link:
        """A link over a transport that is open. The caller of this calls ``link.open()`` and feeds it."""
        session = Session(replace(self._local(), channel=channel, channel_peer=channel_peer), caller)
        link = Link(session, self.writer, self.wall, send, hang_up, self, self.blobs, self.errands, self.later)
        with self._lock:
            self._links.add(link)
        return link

    def _local(self) -> Local:
        identity = self.replica.identity
        assert identity.certificate is not None and identity.root_public is not None
        reader = self.reader()
        return Local(
            key=identity.key,
            certificate=identity.certificate,
            root_public=identity.root_public,
            schema=self.replica.kinds.schema,
            nonce=self.random(16),
            published=self.published,
            source=lambda sent, cursors, ops, size: reader.next_segments(sent, cursors, ops_max=ops, bytes_max=size),
            is_revoked=self.replica.is_revoked,
            branches=reader.branches,
            receipts_of=self.receipts_of,
            own_origin=lambda: self.replica.origin,
            retry_ms_max=self.retry_ms_max,
            files=Files(self.blobs, self.wishes) if self.blobs is not None else None,
            token_seed=self.random(16),
            frontiers=self.frontiers,
        )

    def retry_ms_max(self) -> int:
        """The jitter that terminals keep when they come back: 0.25 s for each 50 of them."""
        return min(RETRY_MS_PER_50_TERMINALS * (1 + len(self._links) // 50), RETRY_MS_MAX)

    def wake(self) -> None:
        for link in self._snapshot():
            link.wake()

    def files_came(self, names: Sequence[bytes]) -> None:
        """Files became whole here: whoever sought them is told, and what was made here waits for its receipts."""
        assert self.blobs is not None
        made = self.blobs.made_among(names)
        for name in names:
            self.wishes.drop(name)
        for link in self._snapshot():
            link.files_came(names, [name for name in names if name in made])

    def want(self, name: bytes) -> None:
        """Somebody opened this file: fetch it before all else."""
        self.wishes.urge(name, self.now())
        self.wake()

    def tick(self) -> None:
        for link in self._snapshot():
            link.tick()

    def drop(self, node_id: bytes, code: str, text: str) -> None:
        """Hang up on a node, as after its revocation."""
        for link in self._snapshot():
            if link.peer == node_id:
                link.hang_up()
                link.down(code, text)

    def connected(self) -> list[Peer]:
        return [peer for peer in self.peers.values() if peer.connected]

    def _snapshot(self) -> list[Link]:
        with self._lock:
            return list(self._links)

    # -- what links tell -------------------------------------------------------------------------

    def opened(self, link: Link, event: Opened) -> None:
        held = event.peer
        peer = self.peers.setdefault(held.node_id, Peer(held.node_id, held.name, held.label, held.capabilities))
        peer.name, peer.label, peer.capabilities = held.name, held.label, held.capabilities
        peer.connected, peer.last_contact_ms, peer.last_error = True, self.now(), None
        peer.offset_ms = event.offset_ms if event.offset_ms is not None else peer.offset_ms
        self.on_opened(link, event)
        self.on_change()

    def contact(self, link: Link) -> None:
        peer = self.peers.get(link.peer or b"")
        if peer is not None:
            peer.last_contact_ms = self.now()

    def closed(self, link: Link, code: str, text: str) -> None:
        with self._lock:
            self._links.discard(link)
            open_still = {other.peer for other in self._links}
        held = link.session.peer
        peer = self.peers.get(held.node_id) if held else None
        if peer is not None and peer.node_id not in open_still:
            peer.connected = False
            peer.last_error = code
        if link.session.fetching is not None:
            link.session.fetching.end()
            self.wake()  # another link may go on with what this one was fetching
        self.on_change()

    def regressed(self, link: Link, event: Regressed) -> None:
        peer = self.peers.get(event.peer)
        if peer is not None:
            peer.regressed = True
        self.on_change()

    def branched(self, event: Branched) -> None:
        for link in self._snapshot():
            link.forked(event.stream, event.fork)

    def suspect(self, link: Link, event: Suspect) -> None:
        """Shown to the administrator: a stream whose bytes did not hold, as seen through one link."""
        self.suspects.append(event)
        del self.suspects[:-SUSPECTS_MAX]
