"""What somebody without the author's key could offer: honest segments altered, put elsewhere, or signed by another.

The forger holds the whole honest log, the key of an enrolled device of the same city, and a city of their own.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sync import signing
from sync.certificate import KIND as CERTIFICATES
from sync.certificate import Certificate
from sync.clock import hlc_of
from sync.operation import CITY, ENTRY, TALK, WORK, Change, encode_body
from sync.oplog import Segment
from sync.signing import SigningKey
from tests.unit.sync.mutations import altered, damaged, unpack, written
from tests.unit.sync.nodes import DRILL, NOW, REAL, ROOT, Author, certificate, ident, seed

PLACES = ((REAL, WORK), (REAL, TALK), (DRILL, WORK), (CITY, WORK))
OTHER_ROOT = SigningKey(seed("the root of another city"))
OPERATIONS = 10  # in each honest stream


def honest_authors() -> list[Author]:
    """Three devices that have written into four streams each."""
    found = [Author("patrol", ("field", "command")), Author("office", ("field", "command")), Author("hq", ("enrol",))]
    for author in found:
        for number in range(OPERATIONS - 1):
            record, text = ident(f"{author.name} {number % 4}"), f"{author.name} {number}"
            seen = [(author.origin, number)] if number > 1 else []
            fields = {"text": text, "road": "passable", "tags": {"add": ["x"]}}
            author.write("reports", record, fields, replaces=seen)
            author.write("reports", record, {"text": text}, scope=DRILL)
            author.write("messages", ident(text), {"text": text}, lane=TALK, type=ENTRY, after=seen)
            author.write("incidents", record, {"name": text, "mode": "real"}, scope=CITY)
    return found


@dataclass
class Forger:
    number: int
    authors: list[Author] = field(default_factory=honest_authors)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.number)
        self.bodies = {stream: bodies for author in self.authors for stream, bodies in author.bodies.items()}
        self.signatures = {
            (stream, last): author.segment(stream[16:-1], stream[-1:], last=last).signature
            for author in self.authors
            for stream in author.bodies
            for last in range(1, OPERATIONS + 1)
        }
        self.insider = Author("insider", ("field", "command", "hub"))
        self.stranger = Author("stranger", ("field", "command", "enrol"), root=OTHER_ROOT)
        self.streams = sorted(self.bodies)
        self.signatures_listed = sorted(self.signatures.values())
        foreign = [Author(f"stranger {number}", ("field", "command"), root=OTHER_ROOT) for number in range(9)]
        self.strangers = [(author, forged_certificate(self, author.key.public)) for author in foreign]

    def half(self) -> list[Segment]:
        """What the victim holds: of most streams the first half, of some nothing."""
        return [
            Segment(stream, 1, self.signatures[stream, OPERATIONS // 2], tuple(self.bodies[stream][: OPERATIONS // 2]))
            for place, stream in enumerate(self.streams)
            if place % 4
        ]

    def is_honest(self, segment: Segment) -> bool:
        """Whether its author signed every byte of it, right there."""
        signed = self.signatures.get((segment.stream, segment.last)) == segment.signature
        return signed and tuple(self.bodies[segment.stream][segment.first - 1 : segment.last]) == segment.bodies

    def forge(self) -> tuple[str, Segment]:
        """The name of a forgery, and a segment that no author has signed."""
        while True:
            how = self.dice.choice(FORGERIES)
            made = how(self, self.genuine())
            if not self.is_honest(made):
                return how.__name__, made

    def genuine(self) -> Segment:
        """An honest segment; most begin where the victim's copy ends, or at the very beginning."""
        stream = self.dice.choice(self.streams)
        first = self.dice.choice([1, OPERATIONS // 2 + 1, OPERATIONS // 2 + 1, self.dice.randrange(1, OPERATIONS)])
        last = self.dice.randrange(first, OPERATIONS + 1)
        return Segment(stream, first, self.signatures[stream, last], tuple(self.bodies[stream][first - 1 : last]))

    def signed_by(self, author: Author, segment: Segment) -> Segment:
        """The segment under another's signature, which fits the chain that the victim would compute."""
        before = self.bodies.get(segment.stream, [])[: segment.first - 1]
        head = signing.chain(signing.chain_seed(segment.stream), [*before, *segment.bodies])
        return replace(segment, signature=author.key.sign(signing.log_message(segment.stream, segment.last, head)))

    def with_body(self, segment: Segment, change: Callable[[bytes], bytes]) -> Segment:
        at = self.dice.randrange(len(segment.bodies))
        bodies = list(segment.bodies)
        bodies[at] = change(bodies[at])
        return replace(segment, bodies=tuple(bodies))

    def body_of(self, segment: Segment) -> bytes:
        """A sound operation of the forger's own for the place behind a segment."""
        change = Change("reports", ident("forged"), REAL, {"text": "forged"})
        return encode_body(segment.last + 1, hlc_of(NOW), None, change, (), ())


# -- without any key ---------------------------------------------------------------------------------


def damage_in_a_body(forger: Forger, segment: Segment) -> Segment:
    return forger.with_body(segment, lambda body: damaged(body, forger.dice))


def another_value_in_a_body(forger: Forger, segment: Segment) -> Segment:
    return forger.with_body(segment, lambda body: written(altered(unpack(body), forger.dice)))


def damage_in_the_signature(forger: Forger, segment: Segment) -> Segment:
    return replace(segment, signature=damaged(segment.signature, forger.dice)[:64].ljust(64, b"\0"))


def damage_in_the_name_of_the_stream(forger: Forger, segment: Segment) -> Segment:
    return replace(segment, stream=damaged(segment.stream, forger.dice))


def signature_of_another_place(forger: Forger, segment: Segment) -> Segment:
    return replace(segment, signature=forger.dice.choice(forger.signatures_listed))


def bodies_of_another_stream(forger: Forger, segment: Segment) -> Segment:
    other = forger.bodies[forger.dice.choice(forger.streams)]
    return replace(segment, bodies=tuple(other[segment.first - 1 : segment.last]))


def one_body_of_another_stream(forger: Forger, segment: Segment) -> Segment:
    other = forger.bodies[forger.dice.choice(forger.streams)]
    return forger.with_body(segment, lambda body: other[unpack(body)[1] - 1])


def replay_under_another_name(forger: Forger, segment: Segment) -> Segment:
    """Another scope, lane or mode of the same author (a drill for the real thing), or another author's stream."""
    scope, lane = forger.dice.choice(PLACES)
    origin = forger.dice.choice([segment.stream, forger.dice.choice(forger.streams)])[:16]
    return replace(segment, stream=origin + scope + lane)


def other_numbers(forger: Forger, segment: Segment) -> Segment:
    return replace(segment, first=max(1, segment.first + forger.dice.choice([-2, -1, 1, 2])))


def bodies_left_out_doubled_or_swapped(forger: Forger, segment: Segment) -> Segment:
    bodies = list(segment.bodies)
    at, other = forger.dice.randrange(len(bodies)), forger.dice.randrange(len(bodies))
    if forger.dice.random() < 0.3:
        bodies.insert(other, bodies[at])
    elif forger.dice.random() < 0.5 and len(bodies) > 1:
        del bodies[at]
    else:
        bodies[at], bodies[other] = bodies[other], bodies[at]
    return replace(segment, bodies=tuple(bodies))


def cut_before_its_signature(forger: Forger, segment: Segment) -> Segment:
    return replace(segment, bodies=segment.bodies[: forger.dice.randrange(1, len(segment.bodies) + 1)])


def longer_than_its_signature(forger: Forger, segment: Segment) -> Segment:
    return replace(segment, bodies=(*segment.bodies, forger.body_of(segment)))


# -- with a key, which is not the author's -----------------------------------------------------------


def signed_by_an_enrolled_device(forger: Forger, segment: Segment) -> Segment:
    changed = another_value_in_a_body(forger, segment) if forger.dice.random() < 0.5 else segment
    return forger.signed_by(forger.insider, changed)


def continued_by_another(forger: Forger, segment: Segment) -> Segment:
    author = forger.dice.choice([forger.insider, forger.stranger])
    return forger.signed_by(author, longer_than_its_signature(forger, segment))


def another_certificate_in_its_place(forger: Forger, segment: Segment) -> Segment:
    """The stream begins anew, with the forger's certificate in it."""
    author = forger.dice.choice([forger.insider, forger.stranger])
    body = certificate_body(author.certificate, author.node, author.incarnation, segment.stream[16:-1])
    rest = forger.bodies[segment.stream][1 : segment.last]
    return forger.signed_by(author, replace(segment, first=1, bodies=(body, *rest)))


def a_certificate_in_the_middle(forger: Forger, segment: Segment) -> Segment:
    author, victim = forger.insider, forger.authors[forger.dice.randrange(3)]
    held = forger.dice.choice([author.certificate, forged_certificate(forger, victim.key.public)])
    body = certificate_body(held, held.node_id, author.incarnation, segment.stream[16:-1], seq=segment.last + 1)
    return forger.signed_by(author, replace(segment, bodies=(*segment.bodies, body)))


def a_stream_of_another_city(forger: Forger, segment: Segment) -> Segment:
    return stream_of(forger.dice.choice(forger.strangers)[0], segment)


def a_device_that_nobody_enrolled(forger: Forger, segment: Segment) -> Segment:
    author, held = forger.dice.choice(forger.strangers)
    return stream_of(author, segment, held)


def stream_of(author: Author, like: Segment, held: Certificate | None = None) -> Segment:
    """A stream of the author's own in the scope and lane of a segment, sound but for its certificate."""
    scope, lane = like.stream[16:-1], like.stream[-1:]
    author.bodies.pop(author.stream(scope, lane), None)
    author.certify(scope, lane, held)
    return author.segment(scope, lane)


def forged_certificate(forger: Forger, public: bytes) -> Certificate:
    """More rights than the root gave: by a device without `enrol`, by a foreign root, or by one's own key."""
    signer, issuer = forger.dice.choice(
        [
            (forger.insider.key, forger.insider.certificate),
            (forger.insider.key, None),
            (OTHER_ROOT, None),
            (forger.insider.key, certificate("hub", ("enrol",))),
            (forger.insider.key, forger.stranger.certificate),
        ]
    )
    return Certificate.make(
        signer, issuer, root=signing.root_fingerprint(ROOT.public), public=public, sealing=b"s" * 32, name="forged",
        label="F", capabilities=frozenset({"field", "command"}), issued_ms=NOW, serial=b"f" * 16,
    )  # fmt: skip


def certificate_body(held: Certificate, node: bytes, incarnation: bytes, scope: bytes, seq: int = 1) -> bytes:
    change = Change(CERTIFICATES, node, scope, {"certificate": held.encode(), "incarnation": incarnation})
    return encode_body(seq, hlc_of(NOW), None, change, (), ())


FORGERIES: list[Callable[[Forger, Segment], Segment]] = [
    damage_in_a_body,
    another_value_in_a_body,
    damage_in_the_signature,
    damage_in_the_name_of_the_stream,
    signature_of_another_place,
    bodies_of_another_stream,
    one_body_of_another_stream,
    replay_under_another_name,
    other_numbers,
    bodies_left_out_doubled_or_swapped,
    cut_before_its_signature,
    longer_than_its_signature,
    signed_by_an_enrolled_device,
    continued_by_another,
    another_certificate_in_its_place,
    a_certificate_in_the_middle,
    a_stream_of_another_city,
    a_device_that_nobody_enrolled,
]
