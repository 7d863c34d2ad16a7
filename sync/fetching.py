"""The files' part of one link: what this side asks for, and what it gives. Pure: time and store are handed in.

Before: ``session`` opened the link. After: ``link`` keeps the chunks; ``wishes`` says what the node still lacks. One
chunk is under way in each direction; it is asked for, and the next request is its receipt. Operations go before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from sync import limits, protocol
from sync.actions import Action, Discard, Holds, Keep, Later, Send
from sync.errors import BadFrame
from sync.protocol import Chunk, Have, Seek, Want
from sync.sending import Sending
from sync.wishes import Queue, Wish, Wishes

PATIENCE_MS = 120_000  # then another holder is asked as well
FULL_DISK_MS = 60_000  # how long nothing is fetched after the store refused a chunk
LINE_SHARE = 0.7
PAUSE_MS_MIN = 2


class Part(Protocol):
    @property
    def have(self) -> int: ...
    @property
    def size(self) -> int | None: ...
    @property
    def whole(self) -> bool: ...


class Store(Protocol):
    """What is asked of the files of this node. Reads only."""

    def held(self, name: bytes) -> Part: ...
    def chunk(self, name: bytes, start: int, length: int) -> tuple[int, bytes] | None: ...
    def whole_among(self, names: Iterable[bytes]) -> set[bytes]: ...
    def made_here(self, unknown_to: bytes) -> list[bytes]: ...
    def made_among(self, names: Iterable[bytes]) -> set[bytes]: ...


@dataclass(frozen=True, slots=True)
class Files:
    store: Store
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class _Asked:
    wish: Wish
    start: int
    length: int
    at_ms: int


@dataclass(slots=True)
class Line:
    """What the line was measured to carry, from requests to answers; and so how much to ask for, and how often."""

    chunk_bytes: int = limits.CHUNK_BYTES_FIRST
    _round_ms: float | None = None  # the shortest answer: what any request costs, however small
    _bytes_ms: float = 0.0

    def answered(self, size: int, took_ms: int) -> int:
        """A request was answered with ``size`` bytes. How long the line should then be left alone, in ms."""
        self._round_ms = took_ms if self._round_ms is None else min(self._round_ms, took_ms)
        if size < limits.CHUNK_BYTES_MIN // 4:
            return 0
        transfer_ms = max(took_ms - self._round_ms, 0.5)
        rate = size / transfer_ms
        self._bytes_ms = rate if not self._bytes_ms else (self._bytes_ms + rate) / 2
        fits = min(int(min(self._bytes_ms, rate) * limits.CHUNK_MS), 2 * self.chunk_bytes)
        self.chunk_bytes = min(max(fits, limits.CHUNK_BYTES_MIN), limits.CHUNK_BYTES_MAX)
        pause = transfer_ms * (1 / LINE_SHARE - 1) - self._round_ms
        return int(pause) if pause >= PAUSE_MS_MIN else 0

    @property
    def names_at_once(self) -> int:
        fits = self.chunk_bytes // (protocol.NAME_BYTES + 2)
        return min(max(fits, limits.NAMES_AT_ONCE_MIN), limits.NAMES_AT_ONCE_MAX)


@dataclass(slots=True)
class Fetching:
    files: Files
    peer: bytes
    seed: bytes  # unknown to others: makes the tokens
    sending: Sending
    asks_receipts: bool = True  # a hub does not ask its terminals for receipts: most will never hold what it made
    line: Line = field(default_factory=Line)
    _queue: Queue = field(init=False)
    _own: list[bytes] = field(init=False)  # made here and not known to be held by the peer: to be asked about
    _asked: _Asked | None = None
    _keeping: bytes | None = None
    _received: bytes = b""  # the token of the last chunk that came
    _not_before_ms: int = 0
    _awaited_ms: int = 0  # the end of the pause that somebody was told to wake us after
    _seek: int = 0
    _sought_at_ms: int | None = None  # when a `seek` went out that is not answered yet
    # the other direction
    _want: Want | None = None
    _clear_upto: int = 0
    _sent: bytes = b""  # the token of the last chunk that was sent
    _chunks: int = 0
    _sought: set[bytes] = field(default_factory=set)  # the peer asked for them, and they were not here

    def __post_init__(self) -> None:
        self._queue = self.files.wishes.join(self.peer)
        self._own = self.files.store.made_here(self.peer) if self.asks_receipts else []

    def end(self) -> None:
        """The link is gone: what it was fetching, another may."""
        self.files.wishes.leave(self._queue)

    # -- events ----------------------------------------------------------------------------------

    def pump(self, now_ms: int) -> list[Action]:
        """Give what is asked for, where operations leave room, and ask for what is wanted."""
        return [*self._give(), *self._ask_who(now_ms), *self._ask(now_ms)]

    def on_frame(self, frame: Want | Chunk | Have | Seek, now_ms: int) -> list[Action]:
        if isinstance(frame, Want):
            return self._on_want(frame)
        if isinstance(frame, Chunk):
            return self._on_chunk(frame, now_ms)
        return self._on_have(frame, now_ms) if isinstance(frame, Have) else self._on_seek(frame)

    def on_kept(self, name: bytes, held: Part | None, error: bool, now_ms: int) -> None:
        """A chunk was appended; None: the whole was not the file. ``error``: the store could not take it."""
        wishes, self._keeping = self.files.wishes, None
        if error:
            self._not_before_ms = now_ms + FULL_DISK_MS
            wishes.give_back(name)
        elif held is None:
            wishes.was_wrong(name)
        elif held.whole:
            wishes.drop(name)

    def became_whole(self, names: Iterable[bytes]) -> list[Action]:
        """Files came to be here: whoever sought them is told."""
        told = [name for name in names if name in self._sought]
        self._sought.difference_update(told)
        return [_send(Have(0, tuple(part))) for part in _parts(told)]

    def made(self, names: Iterable[bytes]) -> None:
        """Files were made here: the peer is asked about them when it had time to fetch them."""
        if self.asks_receipts:
            self._own += names

    def on_tick(self, now_ms: int) -> None:
        if self._asked is not None and now_ms - self._asked.at_ms > PATIENCE_MS:
            name = self._asked.wish.name
            if self.files.wishes.takes(self._queue, name):
                self._queue.theirs.discard(name)
                self.files.wishes.give_back(name)

    # -- asking ----------------------------------------------------------------------------------

    def _ask_who(self, now_ms: int) -> list[Action]:
        """Ask the peer what it holds of what is wanted here, and of what was made here: the latter is a receipt."""
        if self._sought_at_ms is not None:
            return []
        most = self.line.names_at_once
        names, self._own = self._own[:most], self._own[most:]
        if len(self._queue.known) < most:
            names = names + self.files.wishes.unsought(self._queue, most - len(names))
        if not names:
            return []
        self._seek += 1
        self._sought_at_ms = now_ms
        return [_send(Seek(self._seek, tuple(names)))]

    def _on_have(self, frame: Have, now_ms: int) -> list[Action]:
        if frame.number:
            if self._sought_at_ms is None or frame.number != self._seek:
                raise BadFrame("an answer to what was not sought")
            self.line.answered(0, now_ms - self._sought_at_ms)
            self._sought_at_ms = None
        wishes = self.files.wishes
        made = self.files.store.made_among(frame.names)
        known = tuple(name for name in frame.names if name in made or wishes.get(name) is not None)
        for name in known:
            wishes.held_by(self._queue, name)
        return [Holds(self.peer, known)] if known else []

    def _ask(self, now_ms: int) -> list[Action]:
        """Ask for the next chunk of the best file that the peer holds."""
        while self._asked is None and self._keeping is None:
            wish = self.files.wishes.next(self._queue)
            if wish is None:
                return []
            if now_ms < self._not_before_ms:
                return self._pause(now_ms)
            self.files.wishes.take(self._queue, wish.name)
            held = self.files.store.held(wish.name)
            if held.whole:
                self.files.wishes.drop(wish.name)
                continue
            if held.have and self.files.wishes.must_begin_anew(self._queue, wish.name):
                self._keeping = wish.name
                return [Discard(wish.name)]
            self._asked = _Asked(wish, held.have, self.line.chunk_bytes, now_ms)
            return [_send(Want(self._received, wish.name, held.have, self.line.chunk_bytes))]
        return []

    def _pause(self, now_ms: int) -> list[Action]:
        if self._awaited_ms == self._not_before_ms:
            return []
        self._awaited_ms = self._not_before_ms
        return [Later(self._not_before_ms - now_ms)]

    def _on_chunk(self, frame: Chunk, now_ms: int) -> list[Action]:
        asked = self._asked
        if asked is None or (frame.name, frame.start) != (asked.wish.name, asked.start):
            raise BadFrame("a chunk that was not asked for")
        if len(frame.data) > asked.length or not frame.token:
            raise BadFrame("a chunk larger than asked for, or without a token")
        self._asked, self._received = None, frame.token
        wishes, wish = self.files.wishes, asked.wish
        if frame.total is None:
            self._queue.theirs.discard(wish.name)
            if wishes.takes(self._queue, wish.name):
                wishes.give_back(wish.name)
            return [Holds(self.peer, (wish.name,), no_more=True)]
        pause = self.line.answered(len(frame.data), now_ms - asked.at_ms)
        self._not_before_ms = now_ms + pause
        if not wishes.takes(self._queue, wish.name):
            return []  # it came so late that another link has brought it
        if frame.total > limits.SIZE_UNKNOWN_BYTES_MAX if wish.size is None else frame.total != wish.size:
            wishes.misled(self._queue, wish.name)
            return []
        self._keeping = wish.name
        known = self.files.store.held(wish.name).size
        if known is not None and known != frame.total:
            wishes.begin_anew(wish.name)
            return [Discard(wish.name)]
        wishes.came_over(self._queue, wish.name, frame.start)
        return [Keep(wish.name, frame.start, frame.total, frame.data, wish.media_type)]

    # -- giving ----------------------------------------------------------------------------------

    def _on_want(self, frame: Want) -> list[Action]:
        if self._want is not None or frame.token != self._sent:
            raise BadFrame("a second chunk was asked for before the first had arrived")
        self._want, self._clear_upto = frame, self.sending.last_run
        return []

    def _give(self) -> Iterator[Action]:
        """The chunk that the peer asked for, when no operation waits before it."""
        want = self._want
        if want is None:
            return
        if not self.sending.is_clear(self._clear_upto):
            if not self.sending.has_credit:  # what could not even be sent yet goes before it as well
                self._clear_upto = self.sending.last_run
            return
        found = self.files.store.chunk(want.name, want.start, want.length)
        if found is None:
            self._remember([want.name])
        total, data = found or (None, b"")
        self._chunks += 1
        self._sent = hashlib.blake2b(self._chunks.to_bytes(8, "big"), key=self.seed, digest_size=8).digest()
        self._want = None
        yield _send(Chunk(self._sent, want.name, want.start, total, data))

    def _on_seek(self, frame: Seek) -> list[Action]:
        if not frame.number:
            raise BadFrame("a seek has a number")
        held = self.files.store.whole_among(frame.names)
        self._remember(name for name in frame.names if name not in held)
        return [_send(Have(frame.number, tuple(name for name in frame.names if name in held)))]

    def _remember(self, names: Iterable[bytes]) -> None:
        for name in names:
            if len(self._sought) < limits.SOUGHT_MAX:
                self._sought.add(name)


def _send(frame: protocol.Frame) -> Send:
    return Send(protocol.encode(frame))


def _parts(names: list[bytes]) -> Iterator[list[bytes]]:
    for at in range(0, len(names), limits.NAMES_AT_ONCE_MAX):
        yield names[at : at + limits.NAMES_AT_ONCE_MAX]
