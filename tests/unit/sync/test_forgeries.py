"""Altered or forged operations and frames: none is accepted, and nothing that a node shows moves."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sync import oplog, protocol, signing
from sync.arrival import Applied, Forked
from sync.errors import BadFrame
from sync.oplog import Segment
from sync.protocol import Run
from sync.replica import Replica
from tests.unit.sync.forgeries import FORGERIES, Forger
from tests.unit.sync.mutations import altered_frame, damaged
from tests.unit.sync.nodes import check_whole, make_replica, receive, shown
from tests.unit.sync.parties import Party, bodies, recorded

BATCH = 250
Patch = pytest.MonkeyPatch


def victim_of(forger: Forger) -> Replica:
    """A node that holds half of the honest log."""
    replica = make_replica("hub", ("field", "command", "hub", "enrol"))
    assert {type(outcome) for outcome in receive(replica, *forger.half())} == {Applied}
    return replica


def offer_operations(forger: Forger, replica: Replica, number: int) -> tuple[Counter[str], float]:
    """Offer so many forged segments; how each of them ended, in how many seconds. Raises where one is accepted."""
    ended: Counter[str] = Counter()
    taken = 0.0
    before = replica.vector, replica.public_digest()
    for _ in range(0, number, BATCH):
        forged = [forger.forge() for _ in range(BATCH)]
        began = time.perf_counter()
        outcomes = receive(replica, *(segment for _, segment in forged))
        taken += time.perf_counter() - began
        for (how, segment), outcome in zip(forged, outcomes, strict=True):
            assert not isinstance(outcome, Applied | Forked), f"forger {forger.number}: {how} was taken: {segment}"
            ended[type(outcome).__name__] += 1
        assert (replica.vector, replica.public_digest()) == before
    return ended, taken


def offer_frames(forger: Forger, replica: Replica, number: int) -> int:
    """Offer so many forged frames over links of the tablet, which proves itself anew after each refusal."""
    before, links, link = (replica.vector, replica.public_digest()), 0, None
    for at in range(number):
        if link is None or link.closed:
            link, links = open_link(replica), links + 1
        link.feed(forged_frame(forger, at))
        if at % BATCH == 0:
            assert (replica.vector, replica.public_digest()) == before, f"forger {forger.number}: before frame {at}"
    assert (replica.vector, replica.public_digest()) == before
    return links


def open_link(replica: Replica) -> Party:
    link = Party("hub", replica)
    link.open()
    for frame in recorded()["hub"][:4]:
        link.feed(frame)
    assert link.session.phase == "open"
    return link


def forged_frame(forger: Forger, number: int) -> bytes:
    """A run of forged segments, one that is spoilt itself, or an honest frame at a wrong place."""
    dice, act = forger.dice, forger.dice.random()
    if act < 0.5:
        return protocol.encode(Run(number + 1, tuple(forger.forge()[1] for _ in range(dice.choice([1, 1, 2])))))
    if act < 0.9:
        while True:
            honest = protocol.encode(Run(number + 1, (forger.genuine(),)))
            spoilt = altered_frame(honest, dice) if dice.random() < 0.7 else damaged(honest, dice)
            if not any(forger.is_honest(segment) for segment in segments_of(spoilt)):
                return spoilt
    frame = dice.choice([frame for frame in recorded()["hub"] if frame[1] != protocol.RUN])
    return frame if act < 0.95 else altered_frame(frame, dice)


def segments_of(data: bytes) -> tuple[Segment, ...]:
    try:
        frame = protocol.decode(data)
    except BadFrame:
        return ()
    return frame.segments if isinstance(frame, Run) else ()


def check_untouched(replica: Replica, before: Any, held: Any) -> None:
    assert shown(replica) == before and bodies(replica) == held
    check_whole(replica)


def check_nothing_is_accepted(number: int, operations: int, frames: int) -> None:
    forger = Forger(number)
    replica = victim_of(forger)
    before, held = shown(replica), bodies(replica)
    ended, taken = offer_operations(forger, replica, operations)
    links = offer_frames(forger, replica, frames)
    check_untouched(replica, before, held)
    assert ended["Refused"] > operations / 4
    print(
        f"forger {number}: {operations:,} operations (judged at {operations / taken:,.0f}/s: {dict(ended)})"
        f" and {frames:,} frames over {links:,} links: none accepted, digest unchanged"
    )


def test_no_forged_operation_and_no_forged_frame_is_accepted() -> None:
    check_nothing_is_accepted(1, operations=4_500, frames=500)


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_of_200_000_forged_operations_and_frames_none_is_accepted() -> None:
    for number in range(10):
        check_nothing_is_accepted(100 + number, operations=18_000, frames=2_000)


@pytest.mark.parametrize("how", FORGERIES, ids=lambda how: how.__name__)
def test_each_way_to_forge_is_refused(how: Callable[[Forger, Segment], Segment]) -> None:
    forger = Forger(7)
    replica = victim_of(forger)
    before, held = shown(replica), bodies(replica)
    made = [how(forger, forger.genuine()) for _ in range(40)]
    forged = [segment for segment in made if not forger.is_honest(segment)]
    assert len(forged) > 5
    assert not [o for o in receive(replica, *forged) if isinstance(o, Applied | Forked)]
    check_untouched(replica, before, held)


def test_what_was_not_altered_is_taken() -> None:
    forger = Forger(3)
    replica = victim_of(forger)
    whole = [Segment(s, 1, forger.signatures[s, len(b)], tuple(b)) for s, b in forger.bodies.items()]
    assert {type(outcome) for outcome in receive(replica, *whole)} == {Applied}


# -- does it have teeth? -----------------------------------------------------------------------------


def no_signature_is_checked(patch: Patch) -> None:
    patch.setattr(signing, "verify", lambda public, signature, message: None)


def the_seed_does_not_bind_the_stream(patch: Patch) -> None:
    real = signing.log_message
    patch.setattr(signing, "chain_seed", lambda stream: b"\0" * 32)
    patch.setattr(oplog, "chain_seed", lambda stream: b"\0" * 32)
    patch.setattr(signing, "log_message", lambda stream, seq, head: real(b"", seq, head))


def only_the_end_of_the_chain_is_signed(patch: Patch) -> None:
    patch.setattr(signing, "chain", lambda head, bodies: (head + b"".join(bodies[-1:]))[-32:])


def any_root_will_do(patch: Patch) -> None:
    from sync.certificate import Certificate

    patch.setattr(Certificate, "verify", lambda self, root_public: None)


@pytest.mark.parametrize(
    "plant",
    [no_signature_is_checked, the_seed_does_not_bind_the_stream, only_the_end_of_the_chain_is_signed, any_root_will_do],
)
def test_a_planted_weakness_is_found(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    plant(monkeypatch)
    forger = Forger(1)
    with pytest.raises(AssertionError, match="was taken"):
        offer_operations(forger, victim_of(forger), 2_000)
