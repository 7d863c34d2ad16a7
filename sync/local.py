"""What a session is told of its own node. Values and callables only: nothing here reads a clock, a disk or a socket.

Before: ``peers`` fills it in. After: ``session``, ``greeting`` and ``sending`` ask it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sync import protocol
from sync.certificate import Certificate
from sync.fetching import Files
from sync.oplog import Segment
from sync.sending import Source
from sync.signing import SigningKey
from sync.version_vector import Vector, digest8


class Published(Protocol):
    """Where the log stood at one commit."""

    @property
    def ends(self) -> Mapping[bytes, tuple[int, bytes]]:
        """stream -> (last seq, h)"""

    @property
    def nodes(self) -> Mapping[bytes, bytes]:
        """stream -> the node that writes it"""

    @property
    def tails(self) -> Iterable[tuple[bytes, int, bytes]]:
        """(stream, seq, h) of all that lost a fork."""

    @property
    def position(self) -> int:
        """The log's last run."""


class Frontiers(Protocol):
    """How this node's log grew, and how far it was told of another's."""

    def told_up_to(self, peer: bytes) -> int: ...

    def after(self, position: int, count_max: int) -> tuple[int, tuple[tuple[int, bytes, int], ...]]:
        """The next steps of this node's log behind a position, and up to where they go."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Digest, vector and position of one commit: of two commits they would hide operations from the peer."""

    digest: bytes
    vector: Vector
    position: int


@dataclass(frozen=True, slots=True)
class Local:
    """What a session needs of its own node."""

    key: SigningKey
    certificate: Certificate
    root_public: bytes
    schema: int
    nonce: bytes
    published: Callable[[], Published]
    source: Source
    is_revoked: Callable[[bytes], bool]
    branches: Callable[[], list[Segment]]  # the tails of forks that do not count
    receipts_of: Callable[[bytes], Vector]  # peer -> what it has receipted of our own streams
    own_origin: Callable[[], bytes]
    retry_ms_max: Callable[[], int]
    channel: bytes = b""  # names the transport's connection; empty where it has no ends that are proved
    channel_peer: bytes | None = None  # the node that the transport itself has proved to stand at the other end
    files: Files | None = None  # None: this node exchanges none
    token_seed: bytes = b""
    frontiers: Frontiers | None = None  # None: this node neither tells nor asks

    def summary(self) -> Summary:
        found = self.published()
        digest = digest8(found.ends, found.tails)
        return Summary(digest, {stream: seq for stream, (seq, _) in found.ends.items()}, found.position)

    def heads_of(self, node: bytes) -> tuple[tuple[bytes, int, bytes], ...]:
        """What is held here of a node's streams, as a receipt says it."""
        found = self.published()
        return tuple(
            (stream, seq, head[: protocol.HEAD_BYTES])
            for stream, (seq, head) in sorted(found.ends.items())
            if found.nodes.get(stream) == node
        )
