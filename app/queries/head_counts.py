"""Head counts: the latest of each post, what a shelter and the city add up to, and how old that is.

Before: ``shelters.listed`` says which shelters there are and which are open. After: the front page, the shelters' pages
and ``totals``. Blank is never 0: a shelter that nobody has counted is a silent source, not an empty one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app import catalog
from app.queries import row, shelters
from app.queries.row import Record, Where
from app.queries.shelters import ShelterLine

NAME = "head-counts"
FRESH_MS = 30 * 60_000
AHEAD_MS_MAX = 10 * 60_000  # a count from further ahead was made under a wrong clock: its age is not known
HISTORY_ROWS_MAX = 50

# Which entry of a post is the latest is said by the ledger's order alone, ties included. A tablet whose clock stands
# ten years ahead writes a ``counted_at`` to match: by that, all later counts of its post would be hidden behind it.
_LATEST = (
    "id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY shelter_id, post"
    " ORDER BY order_key DESC, origin DESC, seq DESC) AS place FROM head_counts"
    " WHERE incident_id = ? AND hidden = 0 AND shelter_id IS NOT NULL AND total >= 0) WHERE place = 1)"
)


@dataclass(frozen=True, slots=True)
class Post:
    """A place in a shelter where people are counted (受付), with its latest entry."""

    entry: Record
    total: int
    counted_at: int
    age_ms: int | None  # None: counted by a clock that stands ahead

    @property
    def name(self) -> str | None:
        name: str | None = self.entry["post"]
        return name

    @property
    def fresh(self) -> bool:
        return self.age_ms is not None and self.age_ms <= FRESH_MS


@dataclass(frozen=True, slots=True)
class Source:
    """A shelter as a source of the total: its posts add up; it is as old as the oldest of them."""

    shelter_id: str
    name: str | None  # None: its master data has not come here yet
    status: str
    posts: tuple[Post, ...] = ()

    @property
    def total(self) -> int | None:
        return sum(post.total for post in self.posts) if self.posts else None

    @property
    def old_total(self) -> int:
        return sum(post.total for post in self.posts if not post.fresh)

    @property
    def counted_at(self) -> int | None:
        return min((post.counted_at for post in self.posts), default=None)

    @property
    def age_ms(self) -> int | None:
        ages = [post.age_ms for post in self.posts]
        known = [age for age in ages if age is not None]
        return max(known) if known and len(known) == len(ages) else None

    @property
    def state(self) -> Literal["fresh", "old", "silent"]:
        if not self.posts:
            return "silent"
        return "fresh" if all(post.fresh for post in self.posts) else "old"


@dataclass(frozen=True, slots=True)
class People:
    """The evacuees of an incident: of which sources, and how old."""

    as_of: int
    sources: tuple[Source, ...]  # fresh, then old (the oldest first), then silent

    @property
    def value(self) -> int | None:
        """None while nobody has reported."""
        known = [source.total for source in self.sources if source.total is not None]
        return sum(known) if known else None

    def in_state(self, state: str) -> list[Source]:
        return [source for source in self.sources if source.state == state]

    @property
    def reporting(self) -> int:
        return sum(1 for source in self.sources if source.posts)

    @property
    def old_total(self) -> int:
        return sum(source.old_total for source in self.sources)

    @property
    def oldest_at(self) -> int | None:
        return min((source.counted_at for source in self.sources if source.counted_at is not None), default=None)

    def of(self, shelter_id: str) -> Source | None:
        return next((source for source in self.sources if source.shelter_id == shelter_id), None)


def people(db: Any, incident_id: str, now: int, lines: Sequence[ShelterLine] | None = None) -> People:
    """The evacuees as this node knows them. Sources are the open shelters, and whoever else has reported."""
    lines = shelters.listed(db, incident_id) if lines is None else lines
    posts = latest(db, incident_id, now)
    open_codes = catalog.table("shelter_statuses").in_group("open")
    found = [
        Source(line.shelter.id, line.shelter["name"], line.status, tuple(posts.pop(line.shelter.id, ())))
        for line in lines
        if line.status in open_codes or line.shelter.id in posts
    ]
    # Counted in a shelter that this node has not heard of: its people are people all the same.
    found += [Source(shelter_id, None, "unknown", tuple(own)) for shelter_id, own in posts.items()]
    return People(now, tuple(sorted(found, key=_place)))


def latest(db: Any, incident_id: str, now: int) -> dict[str, list[Post]]:
    """The latest entry of every post, by shelter; the posts of a shelter by their names, the nameless one first."""
    # The + keeps SQLite on the ids that were found: by incident it reads every entry there ever was.
    where = Where().also("+incident_id = ?", incident_id).also(_LATEST, incident_id)
    found: dict[str, list[Post]] = {}
    for entry in row.select(db, row.kind_of(NAME), where, "ORDER BY post, id"):
        found.setdefault(entry["shelter_id"], []).append(post_of(entry, now))
    return found


def post_of(entry: Record, now: int) -> Post:
    """An entry as its post's latest. Its age runs from the counting, not from the arrival."""
    counted_at = entry["counted_at"] if entry["counted_at"] is not None else entry.created_at
    age = now - counted_at
    return Post(entry, entry["total"], counted_at, max(age, 0) if age >= -AHEAD_MS_MAX else None)


def of_shelter(db: Any, incident_id: str, shelter_id: str, now: int) -> list[Post]:
    """The posts of one shelter."""
    return latest(db, incident_id, now).get(shelter_id, [])


def history(db: Any, incident_id: str, shelter_id: str, limit: int = HISTORY_ROWS_MAX) -> list[Record]:
    """Every count of a shelter, in the ledger's order, the newest first."""
    where = Where().also("incident_id = ?", incident_id).also("shelter_id = ?", shelter_id)
    tail = f"ORDER BY order_key DESC, origin DESC, seq DESC LIMIT {int(limit)}"
    return row.select(db, row.kind_of(NAME), where, tail)


def _place(source: Source) -> tuple[int, int, str, str]:
    state = ("fresh", "old", "silent").index(source.state)
    oldest_first = -(source.age_ms or 0) if source.state == "old" else 0
    return (state, oldest_first, source.name or "", source.shelter_id)
