"""A session that is sent anything, by a peer that proved who it is: it refuses, it forgets nothing, it stays small."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import limits, protocol
from sync.errors import BadFrame
from sync.oplog import Segment
from sync.protocol import Ack, Need, Proof, Refuse, Run
from sync.session import HELLO_MS_MAX, SILENCE_MS_MAX
from tests.unit.sync.examples import examples
from tests.unit.sync.mutations import altered_frame, damaged
from tests.unit.sync.nodes import NOW, REAL, check_whole, shown
from tests.unit.sync.parties import Party, bodies, party, recorded
from tests.unit.sync.strategies import frames as any_frame

ANSWER_FRAMES_MAX = limits.REFUSALS_MAX + 4 * limits.RUNS_IN_FLIGHT_MAX + 4
CLOSES = {
    "bad_frame", "bad_certificate", "bad_signature", "revoked", "refused_thrice", "stalled", "silent", "hello_timeout",
}  # fmt: skip

roles = st.sampled_from(["hub", "tablet"])
dices = st.randoms(use_true_random=False)


def at_phase(name: str, frames: int) -> Party:
    """A party that has got the first ``frames`` frames of an honest exchange."""
    made = party(name)
    made.open()
    for frame in recorded()[name][:frames]:
        made.feed(frame)
    assert made.closed is None
    return made


def hostile_frame(name: str, dice: random.Random, drawn: protocol.Frame) -> bytes:
    """A frame that is damaged, altered, out of its turn, invented, or none at all."""
    honest = dice.choice(recorded()[dice.choice([name, "hub", "tablet"])])
    act = dice.random()
    if act < 0.35:
        return altered_frame(honest, dice)
    if act < 0.65:
        return damaged(honest, dice)
    if act < 0.8:
        return honest
    return protocol.encode(drawn) if act < 0.97 else dice.randbytes(dice.randrange(40))


@pytest.fixture(scope="module")
def honest() -> set[Any]:
    """Every operation that somebody has signed."""
    return bodies(party("hub").replica) | bodies(party("tablet").replica)


@examples(120, 2_500)
@given(name=roles, place=st.integers(0, 20), dice=dices, drawn=st.lists(any_frame, min_size=1, max_size=8))
def test_no_frame_makes_a_session_fail_or_keep_what_nobody_signed(
    honest: set[Any], name: str, place: int, dice: random.Random, drawn: list[protocol.Frame]
) -> None:
    victim = at_phase(name, place % (len(recorded()[name]) + 1))
    for frame in drawn:
        check_one_frame(victim, hostile_frame(name, dice, frame), honest)
    for late in (1_000, HELLO_MS_MAX + 1, SILENCE_MS_MAX + 1, 10 * SILENCE_MS_MAX):
        victim.tick(NOW + late)
    assert victim.closed is not None, "a link on which nobody speaks ends"
    victim.replica.connection.close()


def check_one_frame(victim: Party, data: bytes, honest: set[Any]) -> None:
    before, delivered, was_closed = shown(victim.replica), victim.delivered, victim.closed is not None
    answers = victim.feed(data)
    assert not (was_closed and answers)
    assert len(answers) <= ANSWER_FRAMES_MAX
    for answer in answers:
        assert len(answer) <= limits.FRAME_BYTES_MAX
        protocol.decode(answer)  # what this side says is the protocol's, whatever it was told
    assert bodies(victim.replica) <= honest
    if victim.delivered == delivered:
        assert shown(victim.replica) == before
    if not is_a_frame(data) and not was_closed:
        assert victim.closed == "bad_frame" and victim.delivered == delivered
    if victim.closed is not None and not was_closed:
        assert victim.session.phase == "closed"
        assert victim.closed in CLOSES or isinstance(protocol.decode(data), Refuse)


def is_a_frame(data: bytes) -> bool:
    try:
        protocol.decode(data)
    except BadFrame:
        return False
    return True


@examples(15, 300)
@given(name=roles, dice=dices, drawn=st.lists(any_frame, min_size=4, max_size=4))
def test_a_node_that_was_attacked_is_whole_and_takes_the_honest_log_on_its_next_link(
    honest: set[Any], name: str, dice: random.Random, drawn: list[protocol.Frame]
) -> None:
    victim = at_phase(name, dice.randrange(len(recorded()[name])))
    for frame in drawn:
        victim.feed(hostile_frame(name, dice, frame))
    again = Party(name, victim.replica)
    again.open()
    for frame in recorded()[name]:
        again.feed(frame)
    check_whole(victim.replica)
    assert bodies(victim.replica) == honest or again.closed is not None
    victim.replica.connection.close()


@examples(30, 1_000)
@given(name=roles, dice=dices)
def test_before_its_proof_a_stranger_gets_no_operation_and_moves_nothing(name: str, dice: random.Random) -> None:
    victim = at_phase(name, dice.randrange(2))  # before the other's proof
    before = shown(victim.replica)
    sent: list[bytes] = []
    for _ in range(4):
        frame = dice.choice(recorded()[dice.choice(["hub", "tablet"])])
        while proof_of(frame) == proof_of(recorded()[name][1]):
            frame = altered_frame(frame, dice)
        sent += victim.feed(frame)
    kinds = {frame[1] for frame in sent}
    assert kinds <= {protocol.HELLO, protocol.PROOF, protocol.REFUSE}
    assert shown(victim.replica) == before and victim.delivered == 0
    victim.replica.connection.close()


def proof_of(data: bytes) -> bytes | None:
    """The signature in a proof: its clock and its ceiling for retries are not signed."""
    frame = protocol.decode(data) if is_a_frame(data) else None
    return frame.signature if isinstance(frame, Proof) else None


# -- floods ------------------------------------------------------------------------------------------


def stream(number: int) -> bytes:
    return number.to_bytes(16, "big") + REAL + b"w"


def acks(at: int) -> protocol.Frame:
    return Ack(0, tuple((stream(at + n), 1, b"h" * 16) for n in range(500)))


def needs(at: int) -> protocol.Frame:
    return Need(tuple((stream(at + n), 2) for n in range(500)))


def refusals(at: int) -> protocol.Frame:
    return Refuse("code", "text", stream(at))


def runs_with_a_gap(at: int) -> protocol.Frame:
    return Run(1, tuple(Segment(stream(at + n), 2, b"s" * 64, (b"body",)) for n in range(500)))


@pytest.mark.parametrize("flood", [acks, needs, refusals, runs_with_a_gap])
def test_a_peer_that_names_ever_new_streams_takes_no_more_memory(
    flood: Callable[[int], protocol.Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It once did: 200 kB of runs that began above what is held, of streams that nobody has, took 17 MB for good.
    monkeypatch.setattr(limits, "VECTOR_STREAMS_MAX", 1_000)
    victim = at_phase("hub", 4)
    frames = [protocol.encode(flood(1 + 500 * number)) for number in range(30)]
    for frame in frames[:10]:
        victim.feed(frame)
    tracemalloc.start()
    try:
        for frame in frames[10:]:
            victim.feed(frame)
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert victim.session.phase == "open"
    assert grown < 150_000, f"{grown} bytes are kept of {sum(map(len, frames))} that came"


def test_a_run_full_of_gaps_is_answered_by_one_need() -> None:
    answers = [protocol.decode(answer) for answer in at_phase("hub", 4).feed(protocol.encode(runs_with_a_gap(1)))]
    assert [len(answer.wanted) for answer in answers if isinstance(answer, Need)] == [500]
