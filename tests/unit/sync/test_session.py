"""The session alone: who is let in, what is said when, how much at once, and when a link ends."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest

from sync import greeting, limits, oplog, protocol, signing
from sync.actions import Close, Deliver, Opened, Outgrown, Receipts, Regressed, Send, Suspect
from sync.arrival import Applied, Diverged, Gap, Refused
from sync.certificate import Certificate
from sync.local import Local
from sync.log_reader import LogReader
from sync.operation import CITY, Change
from sync.oplog import Segment
from sync.protocol import Ack, Hello, Need, Proof, Refuse, Run, VectorFrame
from sync.session import Session
from sync.signing import SigningKey
from tests.unit.sync.nodes import (
    NOW,
    REAL,
    ROOT,
    Author,
    certificate,
    everything,
    ident,
    make_replica,
    report,
    seed,
    write,
)

STREAM = ident("origin") + REAL + b"w"


class Side:
    """One session over a replica in memory."""

    def __init__(self, name: str, caller: bool, replica: Any = None, nonce: bytes | None = None, **more: Any) -> None:
        self.replica = replica or make_replica(name)
        self.revoked: set[bytes] = set()
        self.receipts: dict[bytes, int] = {}
        reader = LogReader(self.replica.connection)
        identity = self.replica.identity
        local = Local(
            key=identity.key, certificate=identity.certificate, root_public=ROOT.public, schema=1,
            nonce=nonce or ident("nonce " + name), published=self.replica.published,
            source=lambda sent, cursors, ops, size: reader.next_segments(sent, cursors, ops_max=ops, bytes_max=size),
            is_revoked=lambda node: node in self.revoked, branches=reader.branches,
            receipts_of=lambda peer: self.receipts, own_origin=lambda: self.replica.origin, retry_ms_max=lambda: 250,
        )  # fmt: skip
        self.session = Session(dataclasses.replace(local, **more), caller)


def frames(actions: list[Any]) -> list[Any]:
    return [protocol.decode(action.frame) for action in actions if isinstance(action, Send)]


def kinds(actions: list[Any]) -> list[str]:
    return [type(item).__name__ for item in [*frames(actions), *(a for a in actions if not isinstance(a, Send))]]


def close_of(actions: list[Any]) -> str | None:
    return next((action.code for action in actions if isinstance(action, Close)), None)


def run_hello(caller: Side, called: Side, now: int = NOW) -> tuple[list[Any], list[Any]]:
    """Exchange hello and proof; what each side does next: (caller after proof, called after proof)."""
    called.session.on_open(now)
    (hello,) = caller.session.on_open(now)
    answers = called.session.on_frame(hello.frame, now)
    last: list[Any] = []
    for answer in answers:
        last = caller.session.on_frame(answer.frame, now)
    sends = [action for action in last if isinstance(action, Send)]
    return last, called.session.on_frame(sends[0].frame, now)


def opened(caller: Side, called: Side, now: int = NOW) -> dict[str, list[Any]]:
    """Everything up to the open link. What each side did last, runs included."""
    after, _ = run_hello(caller, called, now)
    done: dict[str, list[Any]] = {"caller": [], "called": []}
    queue = [("called", action.frame) for action in after if isinstance(action, Send)][1:]
    while queue:
        name, frame = queue.pop(0)
        side, other = (called, "caller") if name == "called" else (caller, "called")
        if isinstance(protocol.decode(frame), Run):
            continue
        actions = side.session.on_frame(frame, now)
        done[name] += actions
        queue += [(other, action.frame) for action in actions if isinstance(action, Send)]
    return done


def pair(writes: int = 0, text: str = "x") -> tuple[Side, Side, dict[str, list[Any]]]:
    caller, called = Side("tablet", True), Side("hub", False)
    for number in range(writes):
        write(caller.replica, report(str(number), text=text))
    return caller, called, opened(caller, called)


# -- hello -------------------------------------------------------------------------------------------


def test_two_nodes_that_hold_the_same_say_only_their_digests() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    write(caller.replica, report("a", text="x"))
    called.replica.run_batch([lambda r: r.receive(everything(caller.replica), None)])
    after, _ = run_hello(caller, called)
    (vector,) = [frame for frame in frames(after) if isinstance(frame, VectorFrame)]
    answer = called.session.on_frame(protocol.encode(vector), NOW)
    assert frames(answer) == [VectorFrame(vector.digest, None)]
    assert frames(caller.session.on_frame(answer[0].frame, NOW)) == []


def test_two_nodes_that_hold_the_same_do_not_read_the_whole_log_again() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    for text in "abc":
        write(caller.replica, report("a", text=text))
    called.replica.run_batch([lambda r: r.receive(everything(caller.replica), None)])
    reads: list[str] = []
    for side in (caller, called):
        side.replica.connection.set_trace_callback(reads.append)
    opened(caller, called)
    write(caller.replica, report("a", text="d"))
    ((_, run),) = runs(caller.session.pump(NOW))
    assert [(segment.first, segment.last) for segment in run.segments] == [(5, 5)]
    starts = {f"no > {priority << oplog.CLASS_BITS} AND" for priority in oplog.CLASSES}
    pages = [read for read in reads if "ORDER BY no" in read]
    assert pages and not [read for read in pages if any(start in read for start in starts)]


def test_what_is_written_between_the_digest_and_the_answer_is_sent() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    write(caller.replica, report("a", text="x"))
    called.replica.run_batch([lambda r: r.receive(everything(caller.replica), None)])
    after, _ = run_hello(caller, called)
    write(caller.replica, report("a", text="y"))
    (vector,) = [frame for frame in frames(after) if isinstance(frame, VectorFrame)]
    answer = called.session.on_frame(protocol.encode(vector), NOW)
    ((_, run),) = runs(caller.session.on_frame(answer[0].frame, NOW))
    assert [(segment.first, segment.last) for segment in run.segments] == [(3, 3)]


def test_the_caller_measures_the_other_clock_from_the_middle_of_the_exchange() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    called.session.on_open(NOW)
    (hello,) = caller.session.on_open(NOW)
    answers = called.session.on_frame(hello.frame, NOW + 60_000)
    caller.session.on_frame(answers[0].frame, NOW + 200)
    actions = caller.session.on_frame(answers[1].frame, NOW + 200)
    assert [a.offset_ms for a in actions if isinstance(a, Opened)] == [59_900]


def hello_of(held: Certificate, nonce: bytes = b"n" * 16, version: int = 1) -> bytes:
    return protocol.encode(Hello(version, held.encode(), nonce, NOW, 1))


OTHER_CITY = certificate("tablet", root=SigningKey(seed("other root")))
HELLOS = {
    "another city": (hello_of(OTHER_CITY), "bad_certificate"),
    "no certificate": (protocol.encode(Hello(1, b"", b"n" * 16, NOW, 1)), "bad_certificate"),
    "another protocol": (hello_of(certificate("tablet"), version=9), "bad_frame"),
    "one's own nonce": (hello_of(certificate("tablet"), ident("nonce hub")), "bad_signature"),
    "one's own name": (hello_of(certificate("hub")), "bad_certificate"),
    "a proof before hello": (protocol.encode(Proof(b"s" * 64, NOW, 1)), "bad_frame"),
    "a vector before hello": (protocol.encode(VectorFrame(None, {})), "bad_frame"),
    "a run before hello": (protocol.encode(Run(1, (Segment(STREAM, 1, b"s" * 64, (b"x",)),))), "bad_frame"),
    "an unknown type": (b"\x91\x63", "bad_frame"),
    "nothing": (b"", "bad_frame"),
    "text": ("hello", "bad_frame"),
    "too large": (b"\xc4" * 1_000_000, "bad_frame"),
}


@pytest.mark.parametrize("name", HELLOS)
def test_who_does_not_begin_with_a_good_hello_is_refused_and_closed(name: str) -> None:
    data, code = HELLOS[name]
    called = Side("hub", False)
    called.session.on_open(NOW)
    actions = called.session.on_frame(data, NOW)
    assert kinds(actions) == ["Refuse", "Close"]
    assert close_of(actions) == code


def test_a_revoked_device_is_refused_at_hello() -> None:
    called = Side("hub", False)
    called.revoked.add(certificate("tablet").node_id)
    called.session.on_open(NOW)
    assert close_of(called.session.on_frame(hello_of(certificate("tablet")), NOW)) == "revoked"


def test_a_device_that_is_revoked_while_its_link_is_open_is_closed_at_the_next_tick() -> None:
    caller, called, _ = pair(1)
    called.revoked.add(caller.replica.identity.node_id)
    assert close_of(called.session.on_tick(NOW + 1)) == "revoked"


def test_a_forged_proof_closes_the_link() -> None:
    called = Side("hub", False)
    called.session.on_open(NOW)
    called.session.on_frame(hello_of(certificate("tablet")), NOW)
    assert close_of(called.session.on_frame(protocol.encode(Proof(b"s" * 64, NOW, 1)), NOW)) == "bad_signature"


def test_a_replayed_hello_and_proof_do_not_open_another_link() -> None:
    caller, first = Side("tablet", True), Side("hub", False)
    first.session.on_open(NOW)
    (hello,) = caller.session.on_open(NOW)
    last: list[Any] = []
    for answer in first.session.on_frame(hello.frame, NOW):
        last = caller.session.on_frame(answer.frame, NOW)
    proof = next(action for action in last if isinstance(action, Send))
    again = Side("hub", False, nonce=ident("a fresh nonce"))
    again.session.on_open(NOW)
    again.session.on_frame(hello.frame, NOW)
    assert close_of(again.session.on_frame(proof.frame, NOW)) == "bad_signature"


class Between:
    """Who stands between two nodes and carries every frame over: it has a connection of its own with each of them."""

    def __init__(self, caller: Side, called: Side) -> None:
        self.caller, self.called = caller, called
        self.heard: list[Any] = []

    def run(self) -> dict[str, str | None]:
        """Why each side closed its link, if it did."""
        self.called.session.on_open(NOW)
        closed: dict[str, str | None] = {"caller": None, "called": None}
        queue = [(self.called, action) for action in self.caller.session.on_open(NOW)]
        while queue:
            side, action = queue.pop(0)
            self.heard.append(protocol.decode(action.frame))
            actions = side.session.on_frame(action.frame, NOW)
            name = "caller" if side is self.caller else "called"
            closed[name] = closed[name] or close_of(actions)
            other = self.caller if side is self.called else self.called
            queue += [(other, sent) for sent in actions if isinstance(sent, Send)]
        return closed


def test_a_hello_that_somebody_carries_over_between_two_channels_opens_no_link() -> None:
    caller, called = Side("tablet", True, channel=b"one"), Side("hub", False, channel=b"two")
    write(caller.replica, report("a", text="x"))
    between = Between(caller, called)
    assert between.run()["caller"] == "relayed"
    assert not caller.session.was_open and not called.session.was_open
    assert {type(frame) for frame in between.heard} <= {Hello, Proof, Refuse}


def test_the_called_side_refuses_a_proof_of_another_channel_also_where_the_caller_would_not_mind() -> None:
    caller, called = Side("tablet", True, channel=b"one"), Side("hub", False, channel=b"two")
    called.session.on_open(NOW)
    (hello,) = caller.session.on_open(NOW)
    theirs = protocol.decode(called.session.on_frame(hello.frame, NOW)[0].frame)
    peer = called.session.local.certificate
    careless = greeting.proof(caller.session.local, peer, theirs, NOW, caller=True)  # type: ignore[arg-type]
    assert close_of(called.session.on_frame(careless, NOW)) == "relayed"


def test_the_same_channel_at_both_ends_opens_the_link() -> None:
    tablet, hub = certificate("tablet").node_id, certificate("hub").node_id
    caller = Side("tablet", True, channel=b"one", channel_peer=hub)
    called = Side("hub", False, channel=b"one", channel_peer=tablet)
    opened(caller, called)
    assert caller.session.was_open and called.session.was_open


@pytest.mark.parametrize("side", ["caller", "called"])
def test_a_hello_of_another_node_than_the_connection_is_refused_before_anything_is_proved(side: str) -> None:
    other = certificate("T66").node_id
    bound = {"channel": b"one", "channel_peer": other}
    caller = Side("tablet", True, **(bound if side == "caller" else {"channel": b"one"}))
    called = Side("hub", False, **(bound if side == "called" else {"channel": b"one"}))
    between = Between(caller, called)
    assert between.run()[side] == "relayed"
    proofs = [frame for frame in between.heard if isinstance(frame, Proof)]
    assert len(proofs) == (1 if side == "caller" else 0)


def test_one_side_in_clear_and_one_in_tls_open_no_link() -> None:
    for one, two in ((b"", b"two"), (b"one", b"")):
        between = Between(Side("tablet", True, channel=one), Side("hub", False, channel=two))
        assert between.run()["caller"] in ("relayed", "bad_signature")
        assert {type(frame) for frame in between.heard} <= {Hello, Proof, Refuse}


def test_the_called_side_cannot_send_the_callers_proof_back() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    after, _ = run_hello(caller, called)
    proof = next(frame for frame in frames(after) if isinstance(frame, Proof))
    fresh = Side("tablet", True)
    fresh.session.on_open(NOW)
    fresh.session.on_frame(protocol.encode(Hello(1, called.session.local.certificate.encode(), b"n" * 16, NOW, 1)), NOW)
    assert close_of(fresh.session.on_frame(protocol.encode(proof), NOW)) == "bad_signature"


@pytest.mark.parametrize("name", ["Hello", "Proof", "VectorFrame"])
def test_frames_of_the_hello_have_no_place_on_an_open_link(name: str) -> None:
    _caller, called, _ = pair(1)
    late = {
        "Hello": Hello(1, certificate("tablet").encode(), b"n" * 16, NOW, 1),
        "Proof": Proof(b"s" * 64, NOW, 1),
        "VectorFrame": VectorFrame(None, {}),
    }
    assert close_of(called.session.on_frame(protocol.encode(late[name]), NOW)) == "bad_frame"


def test_who_never_finishes_the_hello_is_dropped() -> None:
    called = Side("hub", False)
    called.session.on_open(NOW)
    assert called.session.on_tick(NOW + 5_000) == []
    assert close_of(called.session.on_tick(NOW + 5_001)) == "hello_timeout"


def test_a_link_is_not_late_before_it_is_open() -> None:
    # The ticks of all links run beside: one came between the making and the opening of a link, and closed it.
    assert Side("hub", False).session.on_tick(NOW) == []


def test_a_closed_link_hears_nothing() -> None:
    _caller, called, _ = pair(1)
    called.session.on_frame(b"", NOW)
    assert called.session.on_frame(protocol.encode(Need(((STREAM, 1),))), NOW) == []


def test_the_digest_and_the_vector_of_a_hello_are_of_one_commit() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    write(caller.replica, report("a", text="1"))
    called.replica.run_batch([lambda r: r.receive(everything(caller.replica), None)])
    real, seen = caller.session.local.published, []

    def moving() -> Any:  # a commit falls between any two looks at the log
        seen.append(1)
        found = real()
        write(caller.replica, report("a", text=str(len(seen))))
        return found

    caller.session.local = dataclasses.replace(caller.session.local, published=moving)
    done = opened(caller, called)
    sent = [frame for frame in frames(done["caller"]) if isinstance(frame, Run)]
    stream = next(iter(caller.replica.vector))
    assert any(segment.stream == stream and segment.first == 3 for run in sent for segment in run.segments)


# -- runs, receipts, credit --------------------------------------------------------------------------


def runs(actions: list[Any]) -> list[tuple[bytes, Run]]:
    found = []
    for action in actions:
        if isinstance(action, Send) and isinstance(frame := protocol.decode(action.frame), Run):
            found.append((action.frame, frame))
    return found


def big_pair(operations: int = 400) -> tuple[Side, Side, list[tuple[bytes, Run]], list[int]]:
    caller, called = Side("tablet", True), Side("hub", False)
    noise = random.Random(5)
    texts = [noise.randbytes(1200).hex() for _ in range(operations)]
    jobs = [lambda r, n=n: r.record([report(str(n), text=texts[n])], None) for n in range(operations)]
    caller.replica.run_batch(jobs)
    done = opened(caller, called)
    sent, flying = [], runs(done["caller"])
    in_flight = []
    while flying:
        in_flight.append(len(flying))
        frame, run = flying.pop(0)
        sent.append((frame, run))
        outcomes = called.replica.run_batch([lambda r, s=run.segments: r.receive(s, None)])[0][0]
        called.session.on_frame(frame, NOW)
        receipt = called.session.on_committed(run.number, outcomes, NOW)
        flying += runs(caller.session.on_frame(receipt[0].frame, NOW + 10))
    return caller, called, sent, in_flight


def test_what_does_not_compress_keeps_within_the_size_that_the_link_has_earned() -> None:
    _, _, sent, _ = big_pair()
    sizes = [len(frame) for frame, _ in sent]
    assert max(sizes[:4]) <= limits.FIRST_RUN_BYTES
    assert max(sizes) <= limits.RUN_COMPRESSED_BYTES_MAX
    assert max(sizes) > limits.RUN_COMPRESSED_BYTES_MAX // 4


def test_never_more_than_four_runs_wait_for_their_receipt() -> None:
    _, _, _, in_flight = big_pair(100)
    assert max(in_flight) == limits.RUNS_IN_FLIGHT_MAX


def test_every_operation_is_sent_once() -> None:
    caller, called, sent, _ = big_pair(100)
    assert sum(len(segment.bodies) for _, run in sent for segment in run.segments) == 101
    assert called.replica.vector == caller.replica.vector


def test_a_peer_that_sends_more_than_four_runs_at_once_is_closed() -> None:
    _caller, called, _ = pair()
    run = (Segment(STREAM, 1, b"s" * 64, (b"x",)),)
    for number in range(1, 5):
        assert kinds(called.session.on_frame(protocol.encode(Run(number, run)), NOW)) == ["Deliver"]
    assert close_of(called.session.on_frame(protocol.encode(Run(5, run)), NOW)) == "bad_frame"


def test_a_run_is_receipted_only_after_its_commit() -> None:
    _caller, called, done = pair(3)
    ((frame, run),) = runs(done["caller"])
    assert kinds(called.session.on_frame(frame, NOW)) == ["Deliver"]
    outcome = Applied(run.segments[0].stream, 4, b"h" * 32)
    (ack,) = frames(called.session.on_committed(run.number, [outcome], NOW))
    assert ack == Ack(run.number, ((run.segments[0].stream, 4, b"h" * 16),))


def test_no_receipt_names_what_was_refused() -> None:
    _, called, _ = pair()
    actions = called.session.on_committed(1, [Refused(STREAM, "bad_operation", "text")], NOW)
    assert frames(actions) == [Ack(1, ()), Refuse("bad_operation", "text", STREAM)]
    assert [type(action) for action in actions if not isinstance(action, Send)] == [Suspect]


def test_three_refusals_close_the_link() -> None:
    _, called, _ = pair()
    refused = Refused(STREAM, "bad_operation", "text")
    assert close_of(called.session.on_committed(1, [refused, refused], NOW)) is None
    assert close_of(called.session.on_committed(2, [refused], NOW)) == "refused_thrice"


def test_a_stream_that_was_refused_is_not_sent_again_on_this_link() -> None:
    caller, _called, done = pair(1)
    ((_, run),) = runs(done["caller"])
    caller.session.on_frame(protocol.encode(Ack(run.number, ())), NOW)
    caller.session.on_frame(protocol.encode(Refuse("bad_operation", "", run.segments[0].stream)), NOW)
    write(caller.replica, report("b", text="y"))
    caller.session.on_frame(protocol.encode(Need(((run.segments[0].stream, 1),))), NOW)
    assert caller.session.pump(NOW) == []


def test_what_does_not_follow_is_asked_for_once_and_then_refused() -> None:
    _, called, _ = pair()
    outcome = Diverged(STREAM, "text")
    assert frames(called.session.on_committed(1, [outcome], NOW)) == [Ack(1, ()), Need(((STREAM, 1),))]
    assert kinds(called.session.on_committed(2, [outcome], NOW)) == ["Ack", "Refuse", "Suspect"]


def test_a_gap_asks_for_what_is_missing() -> None:
    _, called, _ = pair()
    assert frames(called.session.on_committed(1, [Gap(STREAM, 4)], NOW)) == [Ack(1, ()), Need(((STREAM, 5),))]


def test_what_waits_above_a_gap_is_handed_over_when_the_gap_is_filled() -> None:
    _, called, _ = pair()
    late = Segment(STREAM, 5, b"s" * 64, (b"x",))
    called.session.hold([late])
    actions = called.session.on_committed(1, [Applied(STREAM, 4, b"h" * 32)], NOW)
    assert [action for action in actions if isinstance(action, Deliver)] == [Deliver(0, (late,))]


def test_at_most_64_segments_wait() -> None:
    _, called, _ = pair()
    called.session.hold(Segment(STREAM, n, b"s" * 64, (b"x",)) for n in range(2, 102))
    assert len(called.session._waiting) == limits.SEGMENTS_HELD_MAX


def test_a_need_is_answered_from_where_it_asks() -> None:
    caller, _called, done = pair(3)
    ((_, run),) = runs(done["caller"])
    stream = run.segments[0].stream
    actions = caller.session.on_frame(protocol.encode(Need(((stream, 2),))), NOW)
    assert [(s.first, s.last) for _, again in runs(actions) for s in again.segments] == [(2, 4)]


def test_a_receipt_for_a_run_that_was_not_sent_closes_the_link() -> None:
    caller, _, _ = pair(1)
    assert close_of(caller.session.on_frame(protocol.encode(Ack(77, ())), NOW)) == "bad_frame"


def test_a_receipt_is_handed_to_the_store() -> None:
    caller, _called, done = pair(1)
    ((_, run),) = runs(done["caller"])
    (stream, (seq, head)) = next(iter(caller.replica.published().ends.items()))
    actions = caller.session.on_frame(protocol.encode(Ack(run.number, ((stream, seq, head[:16]),))), NOW)
    assert [type(action) for action in actions] == [Receipts]


def test_a_receipt_of_another_chain_sends_ours_from_the_beginning_once() -> None:
    caller, _called, done = pair(2)
    ((_, run),) = runs(done["caller"])
    stream = run.segments[0].stream
    frame = protocol.encode(Ack(run.number, ((stream, 3, b"h" * 16),)))
    assert [s.first for _, r in runs(caller.session.on_frame(frame, NOW)) for s in r.segments] == [1]
    again = protocol.encode(Ack(run.number + 1, ((stream, 3, b"h" * 16),)))
    assert runs(caller.session.on_frame(again, NOW)) == []


def test_a_link_without_receipts_is_dropped_as_stalled() -> None:
    caller, _, _ = pair(1)
    assert close_of(caller.session.on_tick(NOW + 5_000)) is None
    assert close_of(caller.session.on_tick(NOW + 5_001)) == "stalled"


def test_a_slow_link_is_given_the_time_that_its_rate_needs() -> None:
    caller, _called, done = pair(1)
    ((_, run),) = runs(done["caller"])
    caller.session.on_frame(protocol.encode(Ack(run.number, ())), NOW + 4_000)  # some 80 bytes a second
    write(caller.replica, report("b", text="y"))
    caller.session.pump(NOW + 4_000)
    assert close_of(caller.session.on_tick(NOW + 4_000 + 6_000)) is None
    assert close_of(caller.session.on_tick(NOW + 4_000 + 60_000)) == "stalled"


def test_each_side_gives_a_sign_of_life_every_5_s() -> None:
    caller, _, _ = pair()
    assert frames(caller.session.on_tick(NOW + 4_999)) == []
    assert frames(caller.session.on_tick(NOW + 5_000)) == [Need(())]
    assert frames(caller.session.on_tick(NOW + 5_001)) == []


def test_a_sign_of_life_is_heard_and_asks_for_nothing() -> None:
    _, called, _ = pair(3)
    assert frames(called.session.on_frame(protocol.encode(Need(())), NOW + 50_000)) == []
    assert close_of(called.session.on_tick(NOW + 110_000)) is None
    assert close_of(called.session.on_tick(NOW + 110_001)) == "silent"


def test_on_a_slow_line_no_more_is_under_way_than_it_takes_in_two_seconds() -> None:
    caller, _called, done = pair(1)
    ((_, run),) = runs(done["caller"])
    for number in range(200):
        write(caller.replica, report(str(number), text="x" * 900))
    under_way = runs(caller.session.on_frame(protocol.encode(Ack(run.number, ())), NOW + 1_000))
    assert len(under_way) >= 1
    assert sum(len(frame) for frame, _ in under_way) <= 2 * limits.FIRST_RUN_BYTES


def receipts_in(actions: list[Any]) -> list[tuple[bytes, int]]:
    return [(stream, seq) for action in actions if isinstance(action, Receipts) for stream, seq, _ in action.receipts]


def test_a_receipt_that_was_lost_with_its_link_is_given_again_on_the_next() -> None:
    """The hub was killed between its commit and its answer: "not yet sent" must not stand for ever."""
    caller, called = Side("tablet", True), Side("hub", False)
    write(caller.replica, report("a", text="x"))
    stream, seq = next(iter(caller.replica.vector.items()))
    called.replica.run_batch([lambda replica: replica.receive(everything(caller.replica), None)])
    write(called.replica, report("b", text="y"))  # the digests differ
    done = opened(caller, called)
    assert (stream, seq) in receipts_in(done["caller"])


def test_equal_digests_are_the_receipt_of_what_this_node_wrote() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    write(caller.replica, report("a", text="x"))
    stream, seq = next(iter(caller.replica.vector.items()))
    called.replica.run_batch([lambda replica: replica.receive(everything(caller.replica), None)])
    done = opened(caller, called)
    assert receipts_in(done["caller"]) == [(stream, seq)]


# -- what the vectors show ---------------------------------------------------------------------------


def test_a_peer_below_its_receipt_is_shown_and_gets_everything_again() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    write(caller.replica, report("a", text="x"))
    stream = next(iter(caller.replica.vector))
    caller.receipts[stream] = 2
    done = opened(caller, called)
    assert [action.streams for action in done["caller"] if isinstance(action, Regressed)] == [(stream,)]
    assert [(s.first, s.last) for _, run in runs(done["caller"]) for s in run.segments] == [(1, 2)]


def test_a_peer_that_knows_more_of_our_own_stream_outgrows_us() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    write(caller.replica, report("a", text="x"))
    caller_again = make_replica("tablet")
    caller_again.run_batch([lambda r: r.record([report("a", text="x")], None)])
    called.replica.run_batch([lambda r: r.receive(everything(caller.replica), None)])
    older = Side("tablet", True, make_replica("tablet"))
    older.replica.incarnation = caller.replica.incarnation
    done = opened(older, called)
    assert any(isinstance(action, Outgrown) for action in done["caller"])


def test_equal_numbers_of_different_chains_are_seen() -> None:
    one, two = Author("copied"), Author("copied")
    one.write("reports", ident("a"), {"text": "1"})
    two.write("reports", ident("a"), {"text": "2"})
    caller, called = Side("tablet", True), Side("hub", False)
    caller.replica.run_batch([lambda r: r.receive(one.segments(), None)])
    called.replica.run_batch([lambda r: r.receive(two.segments(), None)])
    done = opened(caller, called)
    assert runs(done["caller"]) or runs(done["called"])


def test_the_city_goes_before_talk_and_talk_before_work() -> None:

    caller, called = Side("tablet", True), Side("hub", False)
    write(caller.replica, report("a", text="x"))
    write(caller.replica, Change("messages", ident("m"), REAL, {"text": "x"}, 2))
    write(caller.replica, Change("incidents", ident("i"), CITY, {"name": "x", "mode": "real"}))
    done = opened(caller, called)
    order = [
        segment.stream[16:][-1:] if len(segment.stream) == 34 else b"c"
        for _, r in runs(done["caller"])
        for segment in r.segments
    ]
    assert order == [b"c", b"t", b"w"]


def test_a_message_overtakes_the_backlog_of_its_own_node() -> None:

    caller, called = Side("tablet", True), Side("hub", False)
    noise = random.Random(1)
    for number in range(60):
        write(caller.replica, report(str(number), text=noise.randbytes(2000).hex()))
    flying = runs(opened(caller, called)["caller"])
    write(caller.replica, Change("messages", ident("m"), REAL, {"text": "now"}, 2))
    actions = caller.session.on_frame(protocol.encode(Ack(flying[0][1].number, ())), NOW)
    assert runs(actions)[0][1].segments[0].stream[-1:] == b"t"


def test_the_transcript_binds_both_names_and_both_nonces() -> None:
    caller, called = Side("tablet", True), Side("hub", False)
    run_hello(caller, called)
    transcripts = [
        greeting.transcript(s.local, s.peer, s._theirs, caller=s.caller, by_caller=True)  # type: ignore[arg-type]
        for s in (caller.session, called.session)
    ]
    assert transcripts[0] == transcripts[1]
    for part in (
        caller.replica.identity.node_id,
        called.replica.identity.node_id,
        ident("nonce tablet"),
        ident("nonce hub"),
    ):
        assert part in transcripts[0]
    assert transcripts[0].startswith(signing.HELLO_TAG + b"c")
