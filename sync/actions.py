"""What a session answers an event with. Values only: ``link`` carries them out.

Before: ``session`` decided. After: the transport, the writer and the watcher of the links are told.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync.certificate import Certificate
from sync.oplog import Segment


@dataclass(frozen=True, slots=True)
class Send:
    frame: bytes


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand ``segments`` to the replica, then call ``on_committed(number, outcomes)``."""

    number: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Receipts:
    peer: bytes
    receipts: tuple[tuple[bytes, int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer has proved who it is. ``offset_ms``: its clock minus ours, known to the caller only."""

    peer: Certificate
    offset_ms: int | None
    retry_ms_max: int


@dataclass(frozen=True, slots=True)
class Regressed:
    """The peer knows less than it once receipted: it was put back from an older copy. It gets everything again."""

    peer: bytes
    streams: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Outgrown:
    """The peer knows more of this node's own stream than the node itself: our store is an older copy."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A stream that was refused as seen through this link; another holder is to be asked."""

    stream: bytes
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Branched:
    """A fork was learnt here: every other link is to be told of both tails."""

    stream: bytes
    fork: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Append a chunk to what is held of a file, then call ``on_kept(name, what is held or the error)``."""

    name: bytes
    start: int
    total: int
    data: bytes
    media_type: str | None


@dataclass(frozen=True, slots=True)
class Discard:
    """Forget the part that is held of a file, then call ``on_kept``."""

    name: bytes


@dataclass(frozen=True, slots=True)
class Holds:
    """The peer holds these files whole; or, ``no_more``, it does not."""

    peer: bytes
    names: tuple[bytes, ...]
    no_more: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The hub told how its log grew; kept so that this node can show what HQ knew."""

    peer: bytes
    position: int
    steps: tuple[tuple[int, bytes, int], ...]


@dataclass(frozen=True, slots=True)
class Later:
    """Call ``pump`` again after so long: the line is left free for others."""

    ms: int


@dataclass(frozen=True, slots=True)
class Close:
    code: str
    text: str


FileAction = Keep | Discard | Holds
Action = (
    Send | Deliver | Receipts | Opened | Regressed | Outgrown | Suspect | Branched | FileAction | Told | Later | Close
)
