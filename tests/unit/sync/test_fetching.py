"""The files' part of a link alone: honest pairs come to an end, liars and floods are told apart, the line is shared."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sync import fetching, limits, protocol
from sync.actions import Discard, Holds, Keep, Later, Send
from sync.blobs import NOTHING, Held
from sync.errors import BadFrame
from sync.fetching import Fetching, Files, Line
from sync.oplog import Segment
from sync.protocol import Chunk, Have, Seek, Want
from sync.sending import Sending
from sync.wishes import Wish, Wishes
from tests.unit.sync.nodes import REAL, ident

STREAM = ident("origin") + REAL + b"w"
DATA = random.Random(5).randbytes(300_000)
NAME = hashlib.sha256(DATA).digest()
ABSENT = b"\xaa" * 32
Patch = pytest.MonkeyPatch


class Shelf:
    """Files in memory, with the rules of the store."""

    def __init__(self, *whole: bytes) -> None:
        self.whole = {hashlib.sha256(data).digest(): data for data in whole}
        self.parts: dict[bytes, tuple[bytes, int]] = {}
        self.receipts: set[bytes] = set()

    def held(self, name: bytes) -> Held:
        if name in self.whole:
            return Held(len(self.whole[name]), len(self.whole[name]), True)
        data, total = self.parts.get(name, (b"", 0))
        return Held(len(data), total, False) if name in self.parts else NOTHING

    def chunk(self, name: bytes, start: int, length: int) -> tuple[int, bytes] | None:
        data = self.whole.get(name)
        return None if data is None else (len(data), data[start : start + length])

    def whole_among(self, names: Iterable[bytes]) -> set[bytes]:
        return {name for name in names if name in self.whole}

    def made_here(self, unknown_to: bytes) -> list[bytes]:
        return sorted(self.whole)

    def made_among(self, names: Iterable[bytes]) -> set[bytes]:
        return self.whole_among(names)

    def keep(self, action: Keep) -> Held | None:
        data = self.parts.get(action.name, (b"", 0))[0]
        assert action.start == len(data), "what does not follow is not to be kept"
        data += action.data
        if len(data) < action.total:
            self.parts[action.name] = (data, action.total)
            return Held(len(data), action.total, False)
        self.parts.pop(action.name, None)
        if hashlib.sha256(data).digest() != action.name:
            return None
        self.whole[action.name] = data
        return Held(len(data), len(data), True)


class Half:
    """One side of a link, its operations included."""

    def __init__(self, peer: str, shelf: Shelf, *wanted: Wish, wishes: Wishes | None = None) -> None:
        self.shelf, self.wishes = shelf, Wishes() if wishes is None else wishes
        self.wishes.add(wanted)
        self.runs: list[Segment] = []
        self.sending = Sending(lambda sent, cursors, ops, size: [self.runs.pop(0)] if self.runs else [])
        self.fetching = Fetching(Files(shelf, self.wishes), ident(peer), b"secret", self.sending)
        self.others: list[Any] = []  # what was neither sent nor kept

    def act(self, actions: Iterable[Any], now: int) -> list[protocol.Frame]:
        sent: list[protocol.Frame] = []
        for action in actions:
            if isinstance(action, Send):
                sent.append(protocol.decode(action.frame))
            elif isinstance(action, Keep):
                self.fetching.on_kept(action.name, self.shelf.keep(action), False, now)
                sent += self.pump(now)
            elif isinstance(action, Discard):
                self.shelf.parts.pop(action.name, None)
                self.fetching.on_kept(action.name, NOTHING, False, now)
                sent += self.pump(now)
            else:
                self.others.append(action)
                if isinstance(action, Holds) and not action.no_more:
                    self.shelf.receipts |= set(action.names)
        return sent

    def pump(self, now: int = 0) -> list[protocol.Frame]:
        return self.act(self.fetching.pump(now), now)

    def take(self, frame: Any, now: int = 0) -> list[protocol.Frame]:
        sent = self.act(self.fetching.on_frame(frame, now), now)
        return sent + self.pump(now)


def wish(name: bytes = NAME, size: int | None = len(DATA)) -> Wish:
    return Wish(name, 1, 0, size, "image/jpeg")


def run_to_rest(one: Half, two: Half, ms: int = 0, limit: int = 2_000) -> list[tuple[int, int, protocol.Frame]]:
    """Carry frames, each ``ms`` long under way, until nobody has anything to say. [(time, to, frame)]"""
    log: list[tuple[int, int, protocol.Frame]] = []
    now = 0
    flying: list[tuple[int, protocol.Frame]] = [(1, frame) for frame in one.pump()] + [(0, f) for f in two.pump()]
    for _ in range(limit):
        if not flying:
            waiting = [action.ms for half in (one, two) for action in half.others if isinstance(action, Later)]
            one.others, two.others = [], []
            if not waiting:
                return log
            now += max(waiting)
            flying = [(1, frame) for frame in one.pump(now)] + [(0, f) for f in two.pump(now)]
            continue
        to, frame = flying.pop(0)
        now += ms
        log.append((now, to, frame))
        taker = (one, two)[to]
        flying += [(1 - to, answer) for answer in taker.take(frame, now)]
    raise AssertionError("it does not come to rest")


def check_pair() -> None:
    hub, tablet = Half("tablet", Shelf(), wish()), Half("hub", Shelf(DATA))
    log = run_to_rest(hub, tablet)
    assert hub.shelf.whole == {NAME: DATA} and len(hub.wishes) == 0
    asked = [frame for _, _, frame in log if isinstance(frame, Want)]
    assert [frame.start for frame in asked] == sorted({frame.start for frame in asked}), "each byte is asked for once"
    hub_told = hub.act(hub.fetching.became_whole([NAME]), 0)
    assert hub_told == [Have(0, (NAME,))], "who sought it is told"
    tablet.take(hub_told[0])
    assert tablet.shelf.receipts == {NAME}


def check_resumes() -> None:
    shelf = Shelf()
    shelf.parts[NAME] = (DATA[:100_000], len(DATA))
    hub = Half("tablet", shelf, wish())
    log = run_to_rest(hub, Half("hub", Shelf(DATA)))
    starts = [frame.start for _, _, frame in log if isinstance(frame, Want)]
    assert starts[0] == 100_000 and hub.shelf.whole == {NAME: DATA}


def check_wrong_bytes() -> None:
    wishes = Wishes()
    hub = Half("liar", Shelf(), wish(), wishes=wishes)
    liar = Shelf()
    liar.whole[NAME] = bytes(len(DATA))
    run_to_rest(hub, Half("hub", liar))
    assert hub.shelf.whole == {} and len(wishes) == 1, "a wrong hash is not kept"
    again = Half("honest", hub.shelf, wishes=wishes)
    run_to_rest(again, Half("hub", Shelf(DATA)))
    assert again.shelf.whole == {NAME: DATA}


def check_operations_first() -> None:
    hub, tablet = Half("tablet", Shelf(), wish()), Half("hub", Shelf(DATA))
    tablet.runs = [Segment(STREAM, seq, b"s" * 64, (bytes(30_000),)) for seq in range(1, 7)]
    assert len(list(tablet.sending.frames(0))) == limits.RUNS_IN_FLIGHT_MAX
    (seek,) = hub.pump()
    (have, own) = tablet.take(seek)
    assert isinstance(own, Seek)
    (want,) = hub.take(have)
    assert isinstance(want, Want) and tablet.take(want) == [], "no chunk while runs wait for credit"
    numbers = iter(range(1, 7))
    for _ in range(6):
        tablet.sending.receipted(next(numbers), 10)
        list(tablet.sending.frames(10))
        if tablet.sending.under_way:
            assert tablet.pump(10) == [], "no chunk before the receipts of what was written before"
    (chunk,) = tablet.pump(10)
    assert isinstance(chunk, Chunk) and chunk.data


def check_floods() -> None:
    tablet = Half("hub", Shelf(DATA))
    first = tablet.take(Want(b"", NAME, 0, 4096))
    assert isinstance(first[0], Chunk)
    with pytest.raises(BadFrame):
        for _ in range(10_000):
            tablet.take(Want(b"", NAME, 0, 4096))
    tablet = Half("hub", Shelf(DATA))
    with pytest.raises(BadFrame):
        tablet.take(Want(b"guessed!", NAME, 0, 4096))


def check_strangers() -> None:
    """Chunks that were not asked for, or are other than asked for, close the link."""
    for spoil in (
        lambda chunk: dataclasses.replace(chunk, start=chunk.start + 1),
        lambda chunk: dataclasses.replace(chunk, name=ABSENT),
        lambda chunk: dataclasses.replace(chunk, data=chunk.data + b"x"),
    ):
        hub, tablet = Half("tablet", Shelf(), wish()), Half("hub", Shelf(DATA))
        (have, *_) = tablet.take(hub.pump()[0])
        (want,) = hub.take(have)
        (chunk,) = tablet.take(want)
        with pytest.raises(BadFrame):
            hub.take(spoil(chunk))
    with pytest.raises(BadFrame):
        Half("tablet", Shelf()).take(Chunk(b"t" * 8, NAME, 0, len(DATA), DATA[:100]))


CHECKS = (check_pair, check_resumes, check_wrong_bytes, check_operations_first, check_floods, check_strangers)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_holds(check: Callable[[], None]) -> None:
    check()


def plant_no_token(patch: Patch) -> None:
    def on_want(self: Fetching, frame: Want) -> list[Any]:
        self._want, self._clear_upto = frame, self.sending.last_run
        return []

    patch.setattr(Fetching, "_on_want", on_want)


def plant_from_the_beginning(patch: Patch) -> None:
    patch.setattr(Shelf, "held", lambda self, name: Held(0, None, name in self.whole))


def plant_no_order(patch: Patch) -> None:
    patch.setattr(Sending, "is_clear", lambda self, upto: True)


def plant_only_credit(patch: Patch) -> None:
    patch.setattr(Sending, "is_clear", lambda self, upto: self.has_credit)


def plant_trust(patch: Patch) -> None:
    def keep(self: Shelf, action: Keep) -> Held:
        self.whole[action.name] = self.parts.pop(action.name, (b"", 0))[0] + action.data
        return Held(action.total, action.total, True)

    patch.setattr(Shelf, "keep", keep)


def plant_no_news(patch: Patch) -> None:
    patch.setattr(Fetching, "_remember", lambda self, names: None)


def plant_any_chunk(patch: Patch) -> None:
    on_chunk = Fetching._on_chunk

    def lax(self: Fetching, frame: Chunk, now_ms: int) -> list[Any]:
        if self._asked is not None:
            self._asked = dataclasses.replace(self._asked, length=limits.CHUNK_BYTES_MAX)
        return on_chunk(self, frame, now_ms)

    patch.setattr(Fetching, "_on_chunk", lax)


PLANTED = (
    plant_no_token, plant_from_the_beginning, plant_no_order, plant_only_credit, plant_trust, plant_no_news,
    plant_any_chunk,
)  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    plant(monkeypatch)
    found = 0
    for check in CHECKS:
        try:
            check()
        except (AssertionError, BadFrame, ValueError, pytest.fail.Exception):
            found += 1
    assert found


def test_a_peer_that_does_not_hold_it_is_not_asked_for_it() -> None:
    hub, tablet = Half("tablet", Shelf(), wish()), Half("hub", Shelf())
    log = run_to_rest(hub, tablet)
    assert [type(frame) for _, _, frame in log] == [Seek, Have]


def test_a_file_that_went_away_meanwhile_is_answered_with_nothing_and_told_when_it_is_back() -> None:
    hub, tablet = Half("tablet", Shelf(), wish()), Half("hub", Shelf(DATA))
    (have, *_) = tablet.take(hub.pump()[0])
    (want,) = hub.take(have)
    tablet.shelf.whole.clear()
    (nothing,) = tablet.take(want)
    assert isinstance(nothing, Chunk) and nothing.total is None
    assert hub.take(nothing) == [] and hub.others[-1] == Holds(ident("tablet"), (NAME,), no_more=True)
    tablet.shelf.whole[NAME] = DATA
    (news,) = tablet.act(tablet.fetching.became_whole([NAME]), 0)
    assert isinstance(hub.take(news)[0], Want)


def test_a_size_that_no_record_tells_is_not_believed_without_end() -> None:
    hub = Half("tablet", Shelf(), wish(size=None))
    (seek,) = hub.pump()
    hub.take(Have(seek.number, (NAME,)))  # type: ignore[union-attr]
    huge = Chunk(b"t" * 8, NAME, 0, limits.SIZE_UNKNOWN_BYTES_MAX + 1, b"x")
    assert hub.take(huge) == [] and hub.shelf.parts == {}


def test_a_size_other_than_the_record_tells_is_a_lie() -> None:
    hub = Half("tablet", Shelf(), wish())
    (seek,) = hub.pump()
    hub.take(Have(seek.number, (NAME,)))  # type: ignore[union-attr]
    assert hub.take(Chunk(b"t" * 8, NAME, 0, len(DATA) + 1, b"x")) == [] and hub.shelf.parts == {}


def test_two_peers_that_tell_two_sizes_begin_it_anew() -> None:
    shelf = Shelf()
    shelf.parts[NAME] = (b"lie", 99)
    hub = Half("tablet", shelf, wish(size=None))
    run_to_rest(hub, Half("hub", Shelf(DATA)))
    assert hub.shelf.whole == {NAME: DATA}


def test_a_full_disk_stops_the_fetching_for_a_while_and_nothing_else() -> None:
    hub, tablet = Half("tablet", Shelf(), wish()), Half("hub", Shelf(DATA))
    (have, *_) = tablet.take(hub.pump()[0])
    (want,) = hub.take(have)
    (chunk,) = tablet.take(want)
    (keep,) = [action for action in hub.fetching.on_frame(chunk, 0) if isinstance(action, Keep)]  # type: ignore[arg-type]
    hub.fetching.on_kept(keep.name, None, True, 0)
    assert hub.pump(1) == [] and hub.others[-1] == Later(fetching.FULL_DISK_MS - 1)
    assert isinstance(hub.pump(fetching.FULL_DISK_MS)[0], Want)


def test_a_chunk_that_never_comes_is_asked_of_another_holder() -> None:
    wishes = Wishes()
    slow, quick = Half("slow", Shelf(), wish(), wishes=wishes), Half("quick", Shelf(), wishes=wishes)
    for half in (slow, quick):
        half.take(Have(half.pump()[0].number, (NAME,)))  # type: ignore[union-attr]
    assert quick.pump(1) == []
    slow.fetching.on_tick(fetching.PATIENCE_MS + 1)
    assert isinstance(quick.pump(fetching.PATIENCE_MS + 1)[0], Want)


def test_what_nobody_here_names_is_not_remembered() -> None:
    hub = Half("tablet", Shelf(), wish())
    hub.take(Have(0, tuple(bytes([number]) * 32 for number in range(200))))
    assert hub.others == []


@pytest.mark.parametrize(
    ("bytes_s", "round_ms"), [(1_500, 50), (16_000, 300), (125_000, 20), (125_000, 600), (10_000_000, 2)]
)
def test_a_chunk_takes_a_quarter_of_a_second_of_the_line_whatever_the_line(bytes_s: int, round_ms: int) -> None:
    line = Line()
    line.answered(0, round_ms)
    for _ in range(40):
        took = round_ms + line.chunk_bytes * 1000 / bytes_s
        line.answered(line.chunk_bytes, int(took))
    fits = min(max(bytes_s * limits.CHUNK_MS / 1000, limits.CHUNK_BYTES_MIN), limits.CHUNK_BYTES_MAX)
    assert 0.8 * fits <= line.chunk_bytes <= 1.2 * fits


def test_the_line_is_left_free_for_three_tenths_of_the_time() -> None:
    hub, tablet = Half("tablet", Shelf(), wish()), Half("hub", Shelf(DATA))
    now = busy = 0
    frames: list[tuple[int, protocol.Frame]] = [(1, frame) for frame in hub.pump()]
    while frames or hub.others:
        if not frames:
            pauses = [action.ms for action in hub.others if isinstance(action, Later)]
            hub.others = []
            now += max(pauses, default=0)
            frames = [(1, frame) for frame in hub.pump(now)]
            continue
        to, frame = frames.pop(0)
        spent = len(protocol.encode(frame)) * 1000 // 50_000 if isinstance(frame, Chunk) else 0  # 400 kbit/s
        now, busy = now + 5 + spent, busy + spent
        frames += [(1 - to, answer) for answer in (hub, tablet)[to].take(frame, now)]
    assert hub.shelf.whole == {NAME: DATA}
    assert 0.5 <= busy / now <= 0.75


def test_a_hub_does_not_ask_its_terminals_about_all_that_it_made() -> None:
    made = Fetching(Files(Shelf(DATA), Wishes()), ident("tablet"), b"", Sending(lambda *_: []), asks_receipts=False)
    made.made([ABSENT])
    assert made.pump(0) == []
