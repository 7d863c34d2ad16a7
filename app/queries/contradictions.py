"""What cannot both be so (矛盾): records that are each right by themselves, held against the rules of the field.

Before: the tables. After: the page, the front page's list of what waits, the API. Nothing is changed by a rule. What
people have said to be known (``set-asides``) stands apart while its facts are the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from app import catalog
from app.queries import head_counts, instructions, joins, patrols, row, shelters
from app.queries.head_counts import People
from app.queries.row import Record, Where
from app.queries.shelters import ShelterLine

FOUND_MAX = 200  # of one rule
ON_ROUTE_M = 40
METRES_A_DEGREE = 111_320


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One rule that a record breaks. ``facts`` are codes and numbers; ``other`` is what it stands against."""

    rule: str
    record: Record
    facts: dict[str, Any]
    other: Record | None = None
    aside: Record | None = None  # said to be known, of these facts

    @property
    def seen(self) -> str:
        """The facts in one line, to tell whether they are still those that somebody set aside."""
        against = [self.other.id] if self.other is not None else []
        return " ".join([*(f"{name}={value}" for name, value in sorted(self.facts.items())), *against])


@dataclass(frozen=True, slots=True)
class _Here:
    """What the rules look at, read once."""

    db: Any
    incident_id: str
    now: int
    lines: Sequence[ShelterLine]
    people: People
    by_id: dict[str, ShelterLine] = field(default_factory=dict)


def found(
    db: Any, incident_id: str, now: int, lines: Sequence[ShelterLine] | None = None, people: People | None = None
) -> list[Contradiction]:
    """Every contradiction of an incident in the order of the catalogue, those that were set aside among them."""
    lines = shelters.listed(db, incident_id) if lines is None else lines
    people = head_counts.people(db, incident_id, now, lines) if people is None else people
    here = _Here(db, incident_id, now, lines, people, {line.shelter.id: line for line in lines})
    known = _asides(db, incident_id)
    listed = [one for code in catalog.table("contradictions").codes for one in _RULES[code](here)]
    return [_with_aside(one, known) for one in listed]


def waiting(listed: Sequence[Contradiction]) -> list[Contradiction]:
    """Those that nobody has set aside."""
    return [one for one in listed if one.aside is None]


def _asides(db: Any, incident_id: str) -> dict[tuple[str, str, str], Record]:
    said = row.select(
        db, row.kind_of("set-asides"), Where().also("incident_id = ?", incident_id), "ORDER BY updated_at"
    )
    return {(one["rule"], one["about"], one["facts"]): one for one in said if not one["lifted"]}


def _with_aside(one: Contradiction, known: dict[tuple[str, str, str], Record]) -> Contradiction:
    aside = known.get((one.rule, one.record.id, one.seen))
    return Contradiction(one.rule, one.record, one.facts, one.other, aside) if aside is not None else one


# -- shelters -------------------------------------------------------------------------------------


def _over_capacity(here: _Here) -> Iterator[Contradiction]:
    for source in here.people.sources:
        line = here.by_id.get(source.shelter_id)
        if line is None or not line.shelter["capacity"] or source.total is None:
            continue
        if source.total > line.shelter["capacity"]:
            facts = {"people": source.total, "capacity": line.shelter["capacity"]}
            yield Contradiction("shelter_over_capacity", line.shelter, facts)


def _closed_with_people(here: _Here) -> Iterator[Contradiction]:
    for source in here.people.sources:
        line = here.by_id.get(source.shelter_id)
        if line is not None and line.group == "closed" and source.total:
            facts = {"people": source.total, "status": line.status}
            yield Contradiction("closed_shelter_with_people", line.shelter, facts)


def _said_two_ways(here: _Here) -> Iterator[Contradiction]:
    if len(joins.group(here.db, here.incident_id)) < 2:
        return
    where = Where().also("incident_id = ?", here.incident_id)
    said: dict[str, dict[str, str]] = {}
    for opening in row.select(here.db, row.kind_of("shelter-openings"), where, "ORDER BY created_at, id"):
        said.setdefault(opening["shelter_id"], {})[opening.scope] = opening["opening_status"] or "unknown"
    for shelter_id, states in said.items():
        line = here.by_id.get(shelter_id)
        if line is not None and len(set(states.values())) > 1:
            facts = {"status": line.status, "others": ",".join(sorted(set(states.values()) - {line.status}))}
            yield Contradiction("shelter_said_two_ways", line.shelter, facts)


# -- instructions and reports ---------------------------------------------------------------------

_RUNNING = (
    "withdrawn_at IS NULL AND NOT EXISTS (SELECT 1 FROM instruction_replies a WHERE a.instruction_id ="
    f" instructions.id AND {instructions.COUNTS} AND a.state IN ('done', 'cannot'))"
)


def _to_finished(here: _Here) -> Iterator[Contradiction]:
    finished = (*catalog.table("response_statuses").in_group("done"), "duplicate")
    marks = ", ".join("?" for _ in finished)
    where = Where().also("incident_id = ?", here.incident_id).also(_RUNNING)
    where = where.also(
        "damage_report_id IN (SELECT r.id FROM damage_reports r WHERE r.id = instructions.damage_report_id"
        f" AND r.hidden = 0 AND r.response_status IN ({marks}))",
        *finished,
    )
    for one in _selected(here, "instructions", where):
        report = row.get(here.db, "damage-reports", one["damage_report_id"])
        if report is not None:
            yield Contradiction("instruction_to_finished_report", one, {"status": report["response_status"]}, report)


def _to_revoked(here: _Here) -> Iterator[Contradiction]:
    revoked = {one.id for one in row.select(here.db, row.kind_of("revocations"), Where())}
    if not revoked:
        return
    where = Where().also("incident_id = ?", here.incident_id).also(_RUNNING)
    for one in _selected(here, "instructions", where):
        gone = sorted(set(one["recipients"] or ()) & revoked)
        if gone:
            yield Contradiction("instruction_to_revoked_node", one, {"node": gone[0]})


# As the index of these says it: of one status alone SQLite does not see that the index has all of them.
_PUT_ASIDE = "response_status IN ('not_needed', 'duplicate')"


def _rescue_not_needed(here: _Here) -> Iterator[Contradiction]:
    where = Where().also("incident_id = ?", here.incident_id)
    where = where.also("response_status = 'not_needed' AND rescue_needed = 1")
    for one in _selected(here, "damage-reports", where):
        yield Contradiction("rescue_not_needed", one, {"status": "not_needed"})


def _without_original(here: _Here) -> Iterator[Contradiction]:
    where = Where().also("incident_id = ?", here.incident_id)
    where = where.also(_PUT_ASIDE).also("response_status = 'duplicate'").also("same_as IS NULL")
    # The link may have been made from the other end: then the other is the duplicate's original just as well.
    where = where.also(
        "NOT EXISTS (SELECT 1 FROM damage_reports o WHERE o.same_as = damage_reports.id AND o.hidden = 0)"
    )
    for one in _selected(here, "damage-reports", where):
        yield Contradiction("duplicate_without_original", one, {"status": "duplicate"})


def _selected(here: _Here, kind: str, where: Where) -> list[Record]:
    return row.select(here.db, row.kind_of(kind), where, f"ORDER BY created_at DESC, id DESC LIMIT {FOUND_MAX}")


# -- roads ----------------------------------------------------------------------------------------


def _closed_road(here: _Here) -> Iterator[Contradiction]:
    rounds = [one.patrol for one in patrols.listed(here.db, here.incident_id, here.now) if one.state in _ON_THE_WAY]
    rounds = [one for one in rounds if isinstance(one["route"], list) and one["route"]]
    if not rounds:
        return
    done = catalog.table("response_statuses").in_group("done")
    where = Where().also("incident_id = ?", here.incident_id).also("passability = 'impassable'")
    where = where.also("location IS NOT NULL")
    for report in _selected(here, "damage-reports", where):
        if report["response_status"] in (*done, "duplicate"):
            continue
        for patrol in rounds:
            if metres_from(report["location"], patrol["route"]) <= ON_ROUTE_M:
                yield Contradiction("closed_road_on_round", patrol, {"passability": "impassable"}, report)


_ON_THE_WAY = ("planned", "running")


def metres_from(place: Sequence[float], route: Sequence[Sequence[float]]) -> float:
    """How far a place lies from a way of straight lines between [lon, lat]."""
    flat = math.cos(math.radians(place[1]))
    corners = [((lon - place[0]) * flat * METRES_A_DEGREE, (lat - place[1]) * METRES_A_DEGREE) for lon, lat in route]
    if len(corners) == 1:
        return math.hypot(*corners[0])
    return min(_from_line(one, other) for one, other in pairwise(corners))


def _from_line(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of the origin from a stretch, in its own unit."""
    east, north = other[0] - one[0], other[1] - one[1]
    length = east * east + north * north
    along = 0.0 if length == 0 else max(0.0, min(1.0, -(one[0] * east + one[1] * north) / length))
    return math.hypot(one[0] + along * east, one[1] + along * north)


_RULES: dict[str, Callable[[_Here], Iterator[Contradiction]]] = {
    "shelter_over_capacity": _over_capacity,
    "closed_shelter_with_people": _closed_with_people,
    "shelter_said_two_ways": _said_two_ways,
    "instruction_to_finished_report": _to_finished,
    "instruction_to_revoked_node": _to_revoked,
    "closed_road_on_round": _closed_road,
    "rescue_not_needed": _rescue_not_needed,
    "duplicate_without_original": _without_original,
}
