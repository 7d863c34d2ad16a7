"""One link between two nodes, as a pure state machine: an event in, actions out. Time, disk and network are handed in.

The driver is ``link``; the same acceptance suite runs it over a simulated link and over real sockets. The caller opens;
both prove who they are; vectors decide what to send; receipts are the only proof that something has arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sync import limits, protocol, signing
from sync.arrival import Applied, Diverged, Duplicate, Forked, Gap, Outcome, Refused
from sync.certificate import Certificate
from sync.errors import BadCertificate, BadFrame, BadSignature, Revoked, SyncError
from sync.oplog import Segment
from sync.protocol import Ack, Frame, Hello, Need, Proof, Refuse, Run, VectorFrame
from sync.signing import SigningKey
from sync.version_vector import Vector, digest8

STALL_MS = 5_000
BEAT_MS = 5_000  # how often a side is heard at least, so that "in touch 5 s ago" is a fact
SILENCE_MS_MAX = 60_000  # long: on a slow line a sign of life stands behind a run; the transport's pings are quicker
FLIGHT_S_MAX = 2  # no more is under way than the line takes in this time: an order waits no longer behind a backlog
HELLO_MS_MAX = 5_000
Source = Callable[[Vector, dict[int, int], int, int], list[Segment]]  # (sent, cursors, ops_max, bytes_max)


@dataclass(frozen=True, slots=True)
class Local:
    """What a session needs of its own node."""

    key: SigningKey
    certificate: Certificate
    root_public: bytes
    schema: int
    nonce: bytes
    ends: Callable[[], Mapping[bytes, tuple[int, bytes]]]  # stream -> (last seq, h), of one commit
    source: Source
    is_revoked: Callable[[bytes], bool]
    branches: Callable[[], list[Segment]]  # the tails of forks that do not count
    receipts_of: Callable[[bytes], Vector]  # peer -> what it has receipted of our own streams
    own_origin: Callable[[], bytes]
    retry_ms_max: Callable[[], int]
    channel: bytes = b""


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
class Close:
    code: str
    text: str


Action = Send | Deliver | Receipts | Opened | Regressed | Outgrown | Suspect | Branched | Close
Phase = Literal["hello", "proof", "vector", "open", "closed"]


@dataclass(slots=True)
class _InFlight:
    size: int
    at_ms: int


@dataclass(slots=True)
class Session:
    local: Local
    caller: bool
    phase: Phase = "hello"
    peer: Certificate | None = None
    held: Vector = field(default_factory=dict)  # what the peer is known to hold
    _opened_ms: int | None = None
    _heard_ms: int = 0
    _beat_ms: int = 0
    _theirs: Hello | None = None
    _arrived_ms: int = 0
    _offered: tuple[bytes, Vector] | None = None  # the digest that the caller sent, and what it stood for
    _sent: Vector = field(default_factory=dict)
    _cursors: dict[int, int] = field(default_factory=dict)
    _in_flight: dict[int, _InFlight] = field(default_factory=dict)
    _next_run: int = 1
    _budget: int = limits.FIRST_RUN_BYTES
    _rate: float = 0.0  # bytes a second, measured from receipts
    _waiting: list[Segment] = field(default_factory=list)  # begin above what is held
    _refused: set[bytes] = field(default_factory=set)  # streams that the peer does not take from us
    _refusals: int = 0
    _delivering: int = 0  # runs of the peer that wait for their commit
    _told: list[Segment] = field(default_factory=list)  # tails that do not count, to be told
    _rechecked: set[bytes] = field(default_factory=set)  # streams sent or asked for once more from their fork

    # -- events ----------------------------------------------------------------------------------

    def on_open(self, now_ms: int) -> list[Action]:
        """The transport is open. The caller speaks first."""
        self._opened_ms = now_ms
        return [self._hello(now_ms)] if self.caller else []

    def on_frame(self, data: object, now_ms: int) -> list[Action]:
        """A frame came. A frame that is not the protocol's closes the link."""
        if self.phase == "closed":
            return []
        self._heard_ms = now_ms
        try:
            frame = protocol.decode(data)
            return self._handle(frame, now_ms)
        except (BadFrame, BadCertificate, BadSignature, Revoked) as error:
            return self._refuse(error)

    def forked(self, stream: bytes, fork: int, now_ms: int) -> list[Action]:
        """A fork is known here: send what counts from the fork on, and the tails that do not."""
        if self.phase != "open":
            return []
        self._sent[stream] = min(self._sent.get(stream, 0), fork - 1)
        self._cursors.clear()
        self._told = self.local.branches()
        return self.pump(now_ms)

    def on_committed(self, number: int, outcomes: Sequence[Outcome], now_ms: int) -> list[Action]:
        """The replica has durably taken (or refused) the segments of a run: answer with the receipt."""
        if self.phase != "open":
            return []
        if number:
            self._delivering -= 1
        receipts: list[tuple[bytes, int, bytes]] = []
        actions: list[Action] = []
        for outcome in outcomes:
            if isinstance(outcome, Applied | Duplicate):
                receipts.append((outcome.stream, outcome.seq, outcome.head[: protocol.HEAD_BYTES]))
            elif isinstance(outcome, Gap):
                need = Need(((outcome.stream, outcome.have + 1),))
                actions.append(Send(protocol.encode(need)))
            elif isinstance(outcome, Diverged) and outcome.stream not in self._rechecked:
                self._rechecked.add(outcome.stream)  # once: from its beginning it shows whether it is a fork
                actions.append(Send(protocol.encode(Need(((outcome.stream, 1),)))))
            elif isinstance(outcome, Refused | Diverged):
                actions += self._refused_segment(outcome)
            elif isinstance(outcome, Forked):
                receipts.append((outcome.stream, outcome.seq, outcome.head[: protocol.HEAD_BYTES]))
                if outcome.new:
                    actions.append(Suspect(outcome.stream, "fork", f"two operations under number {outcome.fork}"))
                    actions.append(Branched(outcome.stream, outcome.fork))
        actions.insert(0, Send(protocol.encode(Ack(number, tuple(receipts)))))
        actions += self._retry_waiting(receipts)
        return actions + self.pump(now_ms)

    def on_tick(self, now_ms: int) -> list[Action]:
        """Watch the progress: a link without receipts is dropped, and resumed from the vectors."""
        if self.phase == "closed":
            return []
        if self._opened_ms is None:
            return []
        if self.phase != "open":
            late = now_ms - self._opened_ms > HELLO_MS_MAX
            return self._close("hello_timeout", "the other side did not finish its hello") if late else []
        if self._in_flight:
            oldest = min(run.at_ms for run in self._in_flight.values())
            size = sum(run.size for run in self._in_flight.values())
            patience = STALL_MS + (4_000 * size / self._rate if self._rate else 0)
            if now_ms - oldest > patience:
                return self._close("stalled", "no receipt came in time")
        if self.peer is not None and self.local.is_revoked(self.peer.node_id):
            return self._refuse(Revoked("this device was revoked"))
        if now_ms - self._heard_ms > SILENCE_MS_MAX:
            return self._close("silent", "the other side was not heard for a minute")
        return [*self._beat(now_ms), *self.pump(now_ms)]

    def _beat(self, now_ms: int) -> list[Action]:
        """A sign of life: an empty `need`, as small as a frame can be."""
        if now_ms - self._beat_ms < BEAT_MS:
            return []
        self._beat_ms = now_ms
        return [Send(protocol.encode(Need(())))]

    def pump(self, now_ms: int) -> list[Action]:
        """Send what the peer lacks, as long as there is credit. Called when the log grew."""
        actions: list[Action] = []
        while self.phase == "open" and self._has_credit():
            frame = self._next_frame()
            if frame is None:
                break
            self._in_flight[self._next_run] = _InFlight(len(frame), now_ms)
            self._next_run += 1
            actions.append(Send(frame))
        return actions

    def _has_credit(self) -> bool:
        under_way = sum(run.size for run in self._in_flight.values())
        slow = bool(self._rate) and under_way >= max(limits.FIRST_RUN_BYTES, FLIGHT_S_MAX * self._rate)
        return len(self._in_flight) < limits.RUNS_IN_FLIGHT_MAX and not slow

    def _next_frame(self) -> bytes | None:
        """The next run, within the size that this link has earned; a single signed run may be larger."""
        if self._told:
            return protocol.encode(Run(self._next_run, (self._told.pop(0),)))
        raw = self._budget * limits.RAW_TO_COMPRESSED
        while True:
            sent, cursors = dict(self._sent), dict(self._cursors)
            found = self.local.source(sent, cursors, limits.RUN_OPS_MAX, raw)
            segments = [segment for segment in found if segment.stream not in self._refused]
            frame = protocol.encode(Run(self._next_run, tuple(segments))) if segments else b""
            if len(frame) > self._budget and raw:
                raw = raw // 2 if raw > 512 else 0  # what does not compress: fewer operations at once
                continue
            self._sent, self._cursors = sent, cursors
            if not found:
                return None
            if segments:
                return frame

    @property
    def unreceipted(self) -> int:
        return len(self._in_flight)

    # -- frames ----------------------------------------------------------------------------------

    def _handle(self, frame: Frame, now_ms: int) -> list[Action]:
        if isinstance(frame, Hello) and self.phase == "hello":
            return self._on_hello(frame, now_ms)
        if isinstance(frame, Proof) and self.phase == "proof":
            return self._on_proof(frame, now_ms)
        if isinstance(frame, VectorFrame) and self.phase == "vector":
            return self._on_vector(frame, now_ms)
        if isinstance(frame, Refuse):
            return self._on_refuse(frame)
        if self.phase == "open":
            if isinstance(frame, Run):
                return self._on_run(frame)
            if isinstance(frame, Ack):
                return self._on_ack(frame, now_ms)
            if isinstance(frame, Need):
                return self._on_need(frame, now_ms)
        raise BadFrame(f"a {type(frame).__name__} frame does not belong here")

    def _hello(self, now_ms: int) -> Send:
        local = self.local
        hello = Hello(protocol.VERSION, local.certificate.encode(), local.nonce, now_ms, local.schema)
        return Send(protocol.encode(hello))

    def _on_hello(self, frame: Hello, now_ms: int) -> list[Action]:
        if frame.protocol != protocol.VERSION:
            return self._refuse(BadFrame(f"protocol {frame.protocol} is not spoken here"))
        peer = Certificate.decode(frame.certificate)
        peer.verify(self.local.root_public)
        if self.local.is_revoked(peer.node_id):
            raise Revoked("this device was revoked")
        if peer.node_id == self.local.certificate.node_id:
            raise BadCertificate("a node does not talk to itself")
        if frame.nonce == self.local.nonce:
            raise BadSignature("the nonce was sent back")
        self.peer, self._theirs, self._arrived_ms = peer, frame, now_ms
        self.phase = "proof"
        if self.caller:
            return []
        return [self._hello(now_ms), self._proof(now_ms)]

    def _transcript(self, by_caller: bool) -> bytes:
        assert self.peer is not None and self._theirs is not None
        me, them = self.local.certificate.node_id, self.peer.node_id
        mine, their = self.local.nonce, self._theirs.nonce
        order = (me, them, mine, their) if self.caller else (them, me, their, mine)
        return signing.HELLO_TAG + (b"c" if by_caller else b"s") + b"".join(order) + self.local.channel

    def _proof(self, now_ms: int) -> Send:
        signature = self.local.key.sign(self._transcript(by_caller=self.caller))
        return Send(protocol.encode(Proof(signature, now_ms, self.local.retry_ms_max())))

    def _on_proof(self, frame: Proof, now_ms: int) -> list[Action]:
        assert self.peer is not None and self._theirs is not None
        signing.verify(self.peer.public, frame.signature, self._transcript(by_caller=not self.caller))
        self.phase = "vector"
        if not self.caller:
            return [Opened(self.peer, None, frame.retry_ms_max)]
        offset = self._theirs.clock_ms - ((self._opened_ms or 0) + self._arrived_ms) // 2
        self._offered = self._summary()
        return [
            Opened(self.peer, offset, frame.retry_ms_max),
            self._proof(now_ms),
            Send(protocol.encode(VectorFrame(self._offered[0], None))),
        ]

    def _summary(self) -> tuple[bytes, Vector]:
        """Digest and vector of one commit: a vector newer than its digest would hide operations from the peer."""
        ends = self.local.ends()
        digest = digest8((stream, seq, head) for stream, (seq, head) in ends.items())
        return digest, {stream: seq for stream, (seq, _) in ends.items()}

    def _on_vector(self, frame: VectorFrame, now_ms: int) -> list[Action]:
        digest, mine = self._summary()
        if frame.vector is not None:
            actions: list[Action] = self._begin(frame.vector)
            if self.caller:
                actions.append(Send(protocol.encode(VectorFrame(None, mine))))
            return actions + self._compare(frame.vector, mine) + self.pump(now_ms)
        if self.caller:
            if self._offered is None or frame.digest != self._offered[0]:
                raise BadFrame("the vector's digest is not the one that was sent")
            return self._begin(self._offered[1]) + self.pump(now_ms)
        if frame.digest == digest:
            answer = Send(protocol.encode(VectorFrame(digest, None)))
            return [answer, *self._begin(mine), *self.pump(now_ms)]
        return [Send(protocol.encode(VectorFrame(None, mine)))]  # the caller answers with its own

    def _begin(self, theirs: Mapping[bytes, int]) -> list[Action]:
        assert self.peer is not None
        self.phase, self._beat_ms = "open", self._heard_ms
        self.held, self._sent = dict(theirs), dict(theirs)
        actions: list[Action] = []
        node = self.peer.node_id
        lost = [stream for stream, seq in self.local.receipts_of(node).items() if theirs.get(stream, 0) < seq]
        if lost:
            actions.append(Regressed(node, tuple(sorted(lost))))
        mine, origin = self._summary()[1], self.local.own_origin()
        if any(stream[:16] == origin and seq > mine.get(stream, 0) for stream, seq in theirs.items()):
            actions.append(Outgrown())
        return actions

    def _compare(self, theirs: Mapping[bytes, int], mine: Vector) -> list[Action]:
        """The digests differed. Where the numbers do not, the chains do: tell ours, so that forks are seen."""
        self._told = self.local.branches()
        if dict(theirs) != mine:
            return []
        listed = sorted((stream, seq, head[: protocol.HEAD_BYTES]) for stream, (seq, head) in self.local.ends().items())
        parts = [listed[at : at + limits.RUN_OPS_MAX] for at in range(0, len(listed), limits.RUN_OPS_MAX)]
        return [Send(protocol.encode(Ack(0, tuple(part)))) for part in parts]

    def _on_run(self, frame: Run) -> list[Action]:
        if self._delivering >= limits.RUNS_IN_FLIGHT_MAX:
            raise BadFrame("more than 4 runs without a receipt")
        if frame.number < 1:
            raise BadFrame("runs are numbered from 1")
        self._delivering += 1
        for segment in frame.segments:
            self._raise(self.held, segment.stream, segment.last)
            self._raise(self._sent, segment.stream, segment.last)
        return [Deliver(frame.number, frame.segments)]

    def _on_ack(self, frame: Ack, now_ms: int) -> list[Action]:
        assert self.peer is not None
        run = self._in_flight.pop(frame.number, None)
        if run is None and frame.number:
            raise BadFrame("a receipt for a run that was not sent")
        if run is not None:
            seconds = max(now_ms - run.at_ms, 1) / 1000
            self._rate = 0.7 * self._rate + 0.3 * run.size / seconds if self._rate else run.size / seconds
            earned = max(limits.FIRST_RUN_BYTES, int(self._rate))  # what the line takes in a second
            self._budget = min(self._budget * 2, earned, limits.RUN_COMPRESSED_BYTES_MAX)
        for stream, seq, _ in frame.receipts:
            self._raise(self.held, stream, seq)
        actions: list[Action] = [Receipts(self.peer.node_id, frame.receipts)] if frame.receipts else []
        ends = self.local.ends()
        for stream, seq, head in frame.receipts:
            last, ours = ends.get(stream, (0, b""))
            if seq == last and ours[: len(head)] != head and stream not in self._rechecked:
                self._rechecked.add(stream)  # another tail: it is told ours from the beginning, once
                self._sent[stream] = 0
                self._cursors.clear()
        return actions + self.pump(now_ms)

    def _on_need(self, frame: Need, now_ms: int) -> list[Action]:
        for stream, first in frame.wanted:
            self._sent[stream] = min(self._sent.get(stream, 0), first - 1)
            self._cursors.clear()
        return self.pump(now_ms)

    def _on_refuse(self, frame: Refuse) -> list[Action]:
        if frame.stream is None or self.phase != "open":
            self.phase = "closed"
            return [Close(frame.code, frame.text)]
        # Sent once and refused: sending it again on this link would never end.
        self._refused.add(frame.stream)
        return []

    # -- small -----------------------------------------------------------------------------------

    def _refused_segment(self, outcome: Refused | Diverged) -> list[Action]:
        self._refusals += 1
        refuse = Refuse(outcome.code, outcome.text, outcome.stream)
        actions: list[Action] = [
            Send(protocol.encode(refuse)),
            Suspect(outcome.stream, outcome.code, outcome.text),
        ]
        if self._refusals >= limits.REFUSALS_MAX:
            actions += self._close("refused_thrice", "three segments were refused on this link")
        return actions

    def _retry_waiting(self, receipts: Iterable[tuple[bytes, int, bytes]]) -> list[Action]:
        ends = {stream: seq for stream, seq, _ in receipts}
        ready = tuple(s for s in self._waiting if s.first <= ends.get(s.stream, 0) + 1 and s.stream in ends)
        if not ready:
            return []
        self._waiting = [segment for segment in self._waiting if segment not in ready]
        return [Deliver(0, ready)]

    def hold(self, segments: Iterable[Segment]) -> None:
        """Keep segments that begin above what is held, until what is missing has come (at most 64)."""
        self._waiting += segments
        del self._waiting[: -limits.SEGMENTS_HELD_MAX]

    def _raise(self, vector: Vector, stream: bytes, seq: int) -> None:
        if seq > vector.get(stream, 0):
            vector[stream] = seq

    def _refuse(self, error: SyncError) -> list[Action]:
        frame = Send(protocol.encode(Refuse(error.code, str(error), None)))
        return [frame, *self._close(error.code, str(error))]

    def _close(self, code: str, text: str) -> list[Action]:
        self.phase = "closed"
        return [Close(code, text)]
