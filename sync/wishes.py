"""Which files a node lacks and in which order they are wanted, over all of its links. Pure.

Before: the application derives the wishes from its tables. After: the ``fetching`` of each link takes from them, one
link a file at a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

URGENT = -1  # somebody waits before a screen
Place = tuple[int, int, bytes]  # rank, newest first, name


@dataclass(frozen=True, slots=True)
class Wish:
    name: bytes  # SHA-256
    rank: int  # the smallest first
    at: int  # of one rank the newest first
    size: int | None = None
    media_type: str | None = None

    @property
    def place(self) -> Place:
        return self.rank, -self.at, self.name


@dataclass(eq=False)
class Queue:
    """What one link could still ask for, best first."""

    peer: bytes
    unsought: list[Place] = field(default_factory=list)  # nobody has asked this peer whether it holds them
    known: list[Place] = field(default_factory=list)  # it said that it does
    theirs: set[bytes] = field(default_factory=set)  # the same without an order


@dataclass
class Wishes:
    _all: dict[bytes, Wish] = field(default_factory=dict)
    _queues: set[Queue] = field(default_factory=set)
    _under_way: dict[bytes, Queue] = field(default_factory=dict)
    _sources: dict[bytes, set[Queue | None]] = field(default_factory=dict)  # the links that brought the part held
    _suspects: dict[bytes, set[bytes]] = field(default_factory=dict)  # who sent bytes that were not the file's
    _alone: set[bytes] = field(default_factory=set)  # to be had over one link only, so that a liar is known

    def add(self, wishes: Iterable[Wish]) -> None:
        """Wish for these as well; of two wishes for a file the better place holds."""
        for wish in wishes:
            held = self._all.get(wish.name)
            if held is not None and held.place <= wish.place:
                continue
            self._all[wish.name] = wish
            for queue in tuple(self._queues):
                heapq.heappush(queue.known if wish.name in queue.theirs else queue.unsought, wish.place)

    def urge(self, name: bytes, at: int) -> None:
        """Somebody opened it: before all else, and every peer is asked once more."""
        self._suspects.pop(name, None)
        self.add([replace(self._all.get(name) or Wish(name, URGENT, at), rank=URGENT, at=at)])

    def drop(self, name: bytes) -> None:
        """It is here, or wanted no more."""
        for about in (self._all, self._under_way, self._sources, self._suspects):
            about.pop(name, None)
        self._alone.discard(name)
        for queue in tuple(self._queues):
            queue.theirs.discard(name)

    def get(self, name: bytes) -> Wish | None:
        return self._all.get(name)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def bytes_wanted(self) -> int:
        return sum(wish.size or 0 for wish in tuple(self._all.values()))

    # -- one link --------------------------------------------------------------------------------

    def join(self, peer: bytes) -> Queue:
        """A link opened. What its peer sent wrongly before may have been the line's fault: it is asked once more."""
        for suspects in tuple(self._suspects.values()):
            suspects.discard(peer)
        queue = Queue(peer, [wish.place for wish in tuple(self._all.values())])
        heapq.heapify(queue.unsought)
        self._queues.add(queue)
        return queue

    def leave(self, queue: Queue) -> None:
        self._queues.discard(queue)
        for name in [name for name, taker in tuple(self._under_way.items()) if taker is queue]:
            self.give_back(name)

    def held_by(self, queue: Queue, name: bytes) -> None:
        """The peer of this link holds it whole."""
        wish = self._all.get(name)
        if wish is not None and name not in queue.theirs:
            queue.theirs.add(name)
            heapq.heappush(queue.known, wish.place)

    def unsought(self, queue: Queue, number: int) -> list[bytes]:
        """The next names that this peer is to be asked about."""
        found: list[bytes] = []
        while queue.unsought and len(found) < number:
            place = heapq.heappop(queue.unsought)
            wish = self._all.get(place[2])
            if wish is not None and wish.place == place and place[2] not in queue.theirs:
                found.append(place[2])
        return found

    def next(self, queue: Queue) -> Wish | None:
        """The best wish that this peer can fulfil and no other link is about to."""
        while queue.known:
            place = queue.known[0]
            wish = self._all.get(place[2])
            mine = self._under_way.get(place[2], queue) is queue and place[2] in queue.theirs
            if wish and wish.place == place and mine and queue.peer not in self._suspects.get(place[2], ()):
                return wish
            heapq.heappop(queue.known)  # one that another link has taken comes back by `give_back`
        return None

    def take(self, queue: Queue, name: bytes) -> None:
        self._under_way[name] = queue

    def takes(self, queue: Queue, name: bytes) -> bool:
        return self._under_way.get(name) is queue

    def give_back(self, name: bytes) -> None:
        """The link that had taken it goes without: whoever else holds it is asked."""
        self._under_way.pop(name, None)
        wish = self._all.get(name)
        for queue in tuple(self._queues):
            if wish is not None and name in queue.theirs:
                heapq.heappush(queue.known, wish.place)

    # -- whose bytes -----------------------------------------------------------------------------

    def must_begin_anew(self, queue: Queue, name: bytes) -> bool:
        """Whether the part held may not be continued over this link."""
        return name in self._alone and self._sources.get(name) != {queue}

    def came_over(self, queue: Queue, name: bytes, start: int) -> None:
        known = self._sources.setdefault(name, {None})  # None: came before this node was started
        if start == 0:
            known.clear()
        known.add(queue)

    def was_wrong(self, name: bytes) -> None:
        """The whole had another hash. Who is to blame is known where one link brought all; else the next shows."""
        sources = self._sources.pop(name, set())
        self._alone.add(name)
        if len(sources) == 1:
            self._suspects.setdefault(name, set()).update(queue.peer for queue in sources if queue is not None)
        self.give_back(name)

    def begin_anew(self, name: bytes) -> None:
        """Two peers tell of different files under one name: the part held is of one of them, and nobody knows which."""
        self._sources.pop(name, None)
        self._alone.add(name)

    def misled(self, queue: Queue, name: bytes) -> None:
        """The peer's own words about the file cannot be true."""
        self._suspects.setdefault(name, set()).add(queue.peer)
        self.give_back(name)
