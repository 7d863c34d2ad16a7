"""One link between two nodes, as a pure state machine: an event in, actions out. Time, disk and network are handed in.

The driver is ``link``; the same acceptance suite runs it over a simulated link and over real sockets. The caller opens;
both prove who they are; vectors decide what to send; receipts are the only proof that something has arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sync import greeting, limits, protocol
from sync.actions import (
    Action,
    Branched,
    Close,
    Deliver,
    Opened,
    Outgrown,
    Receipts,
    Regressed,
    Send,
    Suspect,
)
from sync.arrival import Applied, Diverged, Duplicate, Forked, Gap, Outcome, Refused
from sync.certificate import Certificate
from sync.errors import BadCertificate, BadFrame, BadSignature, Revoked, SyncError
from sync.fetching import Fetching, Part
from sync.local import Local, Summary
from sync.oplog import Segment
from sync.protocol import Ack, Chunk, Frame, Frontier, Have, Hello, Need, Proof, Refuse, Run, Seek, VectorFrame, Want
from sync.sending import Sending
from sync.telling import Telling
from sync.version_vector import Vector

BEAT_MS = 5_000  # how often a side is heard at least, so that "in touch 5 s ago" is a fact
SILENCE_MS_MAX = 60_000  # long: on a slow line a sign of life stands behind a run; the transport's pings are quicker
HELLO_MS_MAX = 5_000


Phase = Literal["hello", "proof", "vector", "open", "closed"]


@dataclass(slots=True)
class Session:
    local: Local
    caller: bool
    phase: Phase = "hello"
    peer: Certificate | None = None
    was_open: bool = False
    sending: Sending = field(init=False)
    fetching: Fetching | None = None  # from the open link on, where both sides know files
    telling: Telling | None = None  # likewise, where both sides know frontiers
    _opened_ms: int | None = None
    _heard_ms: int = 0
    _beat_ms: int = 0
    _theirs: Hello | None = None
    _arrived_ms: int = 0
    _offered: Summary | None = None  # what the digest stood for that the caller sent
    _waiting: list[Segment] = field(default_factory=list)  # begin above what is held
    _refusals: int = 0
    _delivering: int = 0  # runs of the peer that wait for their commit
    _rechecked: set[bytes] = field(default_factory=set)  # streams sent or asked for once more from their fork
    _forked: set[bytes] = field(default_factory=set)  # of these a number says nothing about which tail the peer holds

    def __post_init__(self) -> None:
        self.sending = Sending(self.local.source)

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
        self._forked.add(stream)
        self.sending.rewind(stream, fork)
        self.sending.tell(self.local.branches())
        return self.pump(now_ms)

    def on_committed(self, number: int, outcomes: Sequence[Outcome], now_ms: int) -> list[Action]:
        """The replica has durably taken (or refused) the segments of a run: answer with the receipt."""
        if self.phase != "open":
            return []
        if number:
            self._delivering -= 1
        receipts: dict[bytes, tuple[int, bytes]] = {}  # of each stream the last
        wanted: list[tuple[bytes, int]] = []
        actions: list[Action] = []
        for outcome in outcomes:
            if isinstance(outcome, Applied | Duplicate):
                receipts[outcome.stream] = (outcome.seq, outcome.head[: protocol.HEAD_BYTES])
            elif isinstance(outcome, Gap):
                wanted.append((outcome.stream, outcome.have + 1))
            elif isinstance(outcome, Diverged) and outcome.stream not in self._rechecked:
                self._rechecked.add(outcome.stream)  # once: from its beginning it shows whether it is a fork
                wanted.append((outcome.stream, 1))
            elif isinstance(outcome, Refused | Diverged):
                actions += self._refused_segment(outcome)
            elif isinstance(outcome, Forked):
                receipts[outcome.stream] = (outcome.seq, outcome.head[: protocol.HEAD_BYTES])
                if outcome.new:
                    actions.append(Suspect(outcome.stream, "fork", f"two operations under number {outcome.fork}"))
                    actions.append(Branched(outcome.stream, outcome.fork))
        listed = tuple((stream, seq, head) for stream, (seq, head) in receipts.items())
        if wanted:
            actions.insert(0, Send(protocol.encode(Need(tuple(wanted)))))
        actions.insert(0, Send(protocol.encode(Ack(number, listed))))
        actions += self._retry_waiting({stream: seq for stream, (seq, _) in receipts.items()})
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
        if self.sending.is_stalled(now_ms):
            return self._close("stalled", "no receipt came in time")
        if self.peer is not None and self.local.is_revoked(self.peer.node_id):
            return self._refuse(Revoked("this device was revoked"))
        if now_ms - self._heard_ms > SILENCE_MS_MAX:
            return self._close("silent", "the other side was not heard for a minute")
        if self.fetching is not None:
            self.fetching.on_tick(now_ms)
        return [*self._beat(now_ms), *self.pump(now_ms), *self._tell(now_ms)]

    def _beat(self, now_ms: int) -> list[Action]:
        """A sign of life: an empty `need`, as small as a frame can be."""
        if now_ms - self._beat_ms < BEAT_MS:
            return []
        self._beat_ms = now_ms
        return [Send(protocol.encode(Need(())))]

    def _tell(self, now_ms: int) -> list[Action]:
        """How this node's log grew: never beside a run, for nobody waits for it."""
        if self.telling is None or self.phase != "open" or self.sending.under_way:
            return []
        return self.telling.on_tick(now_ms)

    def pump(self, now_ms: int) -> list[Action]:
        """Send what the peer lacks, as long as there is credit; then files. Called when the log grew."""
        if self.phase != "open":
            return []
        operations: list[Action] = [Send(frame) for frame in self.sending.frames(now_ms)]
        return operations + (self.fetching.pump(now_ms) if self.fetching is not None else [])

    def on_kept(self, name: bytes, held: Part | None, now_ms: int, *, failed: bool = False) -> list[Action]:
        """A chunk of a file was kept, or not."""
        if self.phase != "open" or self.fetching is None:
            return []
        self.fetching.on_kept(name, held, failed, now_ms)
        return self.pump(now_ms)

    def files_came(self, names: Sequence[bytes], made: Sequence[bytes], now_ms: int) -> list[Action]:
        """Files became whole on this node; some of them were ``made`` here."""
        if self.phase != "open" or self.fetching is None:
            return []
        self.fetching.made(made)
        return [*self.fetching.became_whole(names), *self.pump(now_ms)]

    @property
    def unreceipted(self) -> int:
        return self.sending.under_way

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
            if isinstance(frame, Want | Chunk | Have | Seek) and self.fetching is not None:
                return self._on_file(self.fetching, frame, now_ms)
            if isinstance(frame, Frontier) and self.telling is not None:
                return self.telling.on_frame(frame)
        raise BadFrame(f"a {type(frame).__name__} frame does not belong here")

    def _hello(self, now_ms: int) -> Send:
        return Send(greeting.hello(self.local, now_ms))

    def _on_hello(self, frame: Hello, now_ms: int) -> list[Action]:
        self.peer = greeting.let_in(self.local, frame)
        self._theirs, self._arrived_ms = frame, now_ms
        self.phase = "proof"
        return [] if self.caller else [self._hello(now_ms), self._proof(now_ms)]

    def _proof(self, now_ms: int) -> Send:
        assert self.peer is not None and self._theirs is not None
        return Send(greeting.proof(self.local, self.peer, self._theirs, now_ms, caller=self.caller))

    def _on_proof(self, frame: Proof, now_ms: int) -> list[Action]:
        assert self.peer is not None and self._theirs is not None
        greeting.check_proof(self.local, self.peer, self._theirs, frame, caller=self.caller)
        self.phase = "vector"
        if not self.caller:
            return [Opened(self.peer, None, frame.retry_ms_max)]
        offset = self._theirs.clock_ms - ((self._opened_ms or 0) + self._arrived_ms) // 2
        self._offered = self.local.summary()
        return [
            Opened(self.peer, offset, frame.retry_ms_max),
            self._proof(now_ms),
            Send(protocol.encode(VectorFrame(self._offered.digest, None))),
        ]

    def _on_vector(self, frame: VectorFrame, now_ms: int) -> list[Action]:
        ours = self.local.summary()
        if frame.vector is not None:
            actions: list[Action] = self._begin(frame.vector)
            if self.caller:
                actions.append(Send(protocol.encode(VectorFrame(None, ours.vector))))
            return actions + self._compare(frame.vector, ours.vector) + self.pump(now_ms)
        if self.caller:
            if self._offered is None or frame.digest != self._offered.digest:
                raise BadFrame("the vector's digest is not the one that was sent")
            return self._begin_equal(self._offered) + self.pump(now_ms)
        if frame.digest == ours.digest:
            answer = Send(protocol.encode(VectorFrame(ours.digest, None)))
            return [answer, *self._begin_equal(ours), *self.pump(now_ms)]
        return [Send(protocol.encode(VectorFrame(None, ours.vector)))]  # the caller answers with its own

    def _begin_equal(self, held: Summary) -> list[Action]:
        """Both hold the same: what is sent begins behind the log's end of then, without reading what is before it."""
        actions = self._begin(held.vector)
        self.sending.begin_at(held.position)
        assert self.peer is not None
        # Equal chains are the receipt of all that this node wrote: the one for it may have been lost with a link.
        actions.append(Receipts(self.peer.node_id, self.local.heads_of(self.local.certificate.node_id)))
        return actions

    def _begin(self, theirs: Mapping[bytes, int]) -> list[Action]:
        assert self.peer is not None
        self.phase, self._beat_ms = "open", self._heard_ms
        self.was_open = True
        self.sending.begin(theirs)
        schema = self._theirs.schema if self._theirs is not None else 0
        if self.local.files is not None and schema >= protocol.BLOBS_SCHEMA:
            asks = "hub" not in self.local.certificate.capabilities or "hub" in self.peer.capabilities
            self.fetching = Fetching(self.local.files, self.peer.node_id, self.local.token_seed, self.sending, asks)
        if self.local.frontiers is not None and schema >= protocol.FRONTIERS_SCHEMA:
            self.telling = Telling(self.local.frontiers, self.peer)
        actions: list[Action] = []
        node = self.peer.node_id
        lost = [stream for stream, seq in self.local.receipts_of(node).items() if theirs.get(stream, 0) < seq]
        if lost:
            actions.append(Regressed(node, tuple(sorted(lost))))
        mine, origin = self.local.published().ends, self.local.own_origin()
        if any(stream[:16] == origin and seq > mine.get(stream, (0,))[0] for stream, seq in theirs.items()):
            actions.append(Outgrown())
        return actions

    def _compare(self, theirs: Mapping[bytes, int], mine: Vector) -> list[Action]:
        """The digests differed: receipt again what is held of the peer (a receipt may have been lost with a link).

        Where the numbers do not differ, the chains do: then all heads are told, so that forks are seen.
        """
        assert self.peer is not None
        tails = self.local.branches()
        for tail in tails:  # what counts may be shorter than what lost: no number says that the peer lacks it
            self._forked.add(tail.stream)
            self.sending.rewind(tail.stream, tail.first)
        self.sending.tell(tails)
        if dict(theirs) != mine:
            listed = list(self.local.heads_of(self.peer.node_id))
        else:
            ends = self.local.published().ends
            listed = sorted((stream, seq, head[: protocol.HEAD_BYTES]) for stream, (seq, head) in ends.items())
        parts = [listed[at : at + limits.RUN_OPS_MAX] for at in range(0, len(listed), limits.RUN_OPS_MAX)]
        return [Send(protocol.encode(Ack(0, tuple(part)))) for part in parts]

    def _on_run(self, frame: Run) -> list[Action]:
        if self._delivering >= limits.RUNS_IN_FLIGHT_MAX:
            raise BadFrame("more than 4 runs without a receipt")
        if frame.number < 1:
            raise BadFrame("runs are numbered from 1")
        self._delivering += 1
        for segment in frame.segments:
            if segment.stream not in self._forked:  # a tail that lost is no sign that the peer holds what counts
                self.sending.skip(segment.stream, segment.last)
        return [Deliver(frame.number, frame.segments)]

    def _on_ack(self, frame: Ack, now_ms: int) -> list[Action]:
        assert self.peer is not None
        if not self.sending.receipted(frame.number, now_ms) and frame.number:
            raise BadFrame("a receipt for a run that was not sent")
        actions: list[Action] = [Receipts(self.peer.node_id, frame.receipts)] if frame.receipts else []
        ends = self.local.published().ends
        for stream, seq, head in frame.receipts:
            last, ours = ends.get(stream, (0, b""))
            if seq == last and ours[: len(head)] != head and stream not in self._rechecked:
                self._rechecked.add(stream)  # another tail: it is told ours from the beginning, once
                self.sending.rewind(stream, 1)
        return actions + self.pump(now_ms)

    def _on_need(self, frame: Need, now_ms: int) -> list[Action]:
        for stream, first in frame.wanted:
            self.sending.rewind(stream, first)
        return self.pump(now_ms)

    def _on_file(self, fetching: Fetching, frame: Want | Chunk | Have | Seek, now_ms: int) -> list[Action]:
        operations: list[Action] = [Send(run) for run in self.sending.frames(now_ms)]
        return [*operations, *fetching.on_frame(frame, now_ms), *self.pump(now_ms)]

    def _on_refuse(self, frame: Refuse) -> list[Action]:
        if frame.stream is None or self.phase != "open":
            self.phase = "closed"
            return [Close(frame.code, frame.text)]
        # Sent once and refused: sending it again on this link would never end.
        self.sending.was_refused(frame.stream)
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

    def _retry_waiting(self, ends: Vector) -> list[Action]:
        ready = tuple(s for s in self._waiting if s.first <= ends.get(s.stream, 0) + 1 and s.stream in ends)
        if not ready:
            return []
        self._waiting = [segment for segment in self._waiting if segment not in ready]
        return [Deliver(0, ready)]

    def hold(self, segments: Iterable[Segment]) -> None:
        """Keep segments that begin above what is held, until what is missing has come (at most 64)."""
        self._waiting += segments
        del self._waiting[: -limits.SEGMENTS_HELD_MAX]

    def _refuse(self, error: SyncError) -> list[Action]:
        frame = Send(protocol.encode(Refuse(error.code, str(error), None)))
        return [frame, *self._close(error.code, str(error))]

    def _close(self, code: str, text: str) -> list[Action]:
        self.phase = "closed"
        return [Close(code, text)]
