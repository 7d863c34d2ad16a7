from __future__ import annotations

import uuid
from typing import Any

import pytest
from uuid6 import uuid7

from app import records
from app.commands import replay
from app.digests import recomputed
from app.errors import AppError
from app.node import Node
from app.queries import damage_reports
from app.records import scope_of
from app.replay import shelf
from app.replay.moment import moment
from app.replay.past import View
from app.store import engine, meta
from sync import frontiers
from sync.operation import CITY
from tests.unit.app.conftest import Clock, OpenNode

INCIDENT = str(uuid.UUID(int=uuid7().int))
SCOPE = scope_of("drill", INCIDENT)
MINUTE = 60_000


def an_id() -> uuid.UUID:
    return uuid.UUID(int=uuid7().int)


def report(node: Node, **fields: Any) -> uuid.UUID:
    record = an_id()
    form = {"category": "flood", "summary": "冠水"} | fields
    node.write([records.damage_reports.create(record, SCOPE, form)], None)
    return record


def edit(node: Node, record: uuid.UUID, **fields: Any) -> None:
    seen = node.versions("damage-reports", SCOPE, str(record))
    node.write([records.damage_reports.edit(record, SCOPE, fields, seen)], None)


@pytest.fixture
def clock(hub: Node) -> Clock:
    return Clock(hub)


@pytest.fixture
def hour(hub: Node, clock: Clock) -> list[tuple[int, dict[str, Any]]]:
    """An hour at HQ: (time, digest as it was then) after each of its steps."""
    incident = {"name": "訓練", "mode": "drill", "kind": "flood"}
    record, seen = uuid.UUID(int=0), list[tuple[int, dict[str, Any]]]()
    for step in range(6):
        if step == 0:
            hub.write([records.incidents.create(uuid.UUID(INCIDENT), CITY, incident)], None)
        elif step % 2:
            record = report(hub, urgency="red")
        else:
            edit(hub, record, response_status="done")
        seen.append((hub.clock(), recomputed(hub.reader())))
        clock.advance(10 * MINUTE)
    return seen


def test_a_time_gives_the_tables_that_the_node_had_then(hub: Node, hour: Any) -> None:
    for at, digest in hour:
        assert recomputed(hub.shelf.past(View(at)).reader()) == digest
    assert recomputed(hub.shelf.past(View(hub.clock())).reader()) == recomputed(hub.reader())


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 3, 4, 1, 2, 0), (2, 5, 0, 3)])
def test_times_after_another_are_folded_on_from_there_and_show_the_same(
    hub: Node, hour: Any, order: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "LARGE", 2)
    monkeypatch.setattr(shelf, "BASE_BEFORE_MS", 15 * MINUTE)
    monkeypatch.setattr(shelf, "HOUR_MS", 10 * MINUTE)
    for step in order:
        at, digest = hour[step]
        assert recomputed(hub.shelf.past(View(at)).reader()) == digest


def test_a_clock_that_was_wrong_for_a_while_moves_nothing_to_another_time(hub: Node, clock: Clock, hour: Any) -> None:
    behind = -10 * 365 * 24 * 60 * MINUTE
    clock.advance(behind)
    report(hub)
    clock.advance(-behind)
    for _ in range(3):
        report(hub)
    at, digest = hour[3]
    assert recomputed(hub.shelf.past(View(at)).reader()) == digest


def test_nothing_is_written_into_the_past(hub: Node, hour: Any) -> None:
    past: Any = hub.shelf.past(View(hour[2][0]))
    with pytest.raises(AppError, match="earlier time"):
        past.write([], None)
    with pytest.raises(engine.DATABASE_ERRORS, match="readonly"):
        past.reader().execute("DELETE FROM damage_reports")
    assert damage_reports.total(past.reader(), INCIDENT) == 1


def test_the_lines_of_the_chronology_end_at_that_time(hub: Node, hour: Any) -> None:
    from app.chronology import Narrowed

    past = hub.shelf.past(View(hour[2][0]))
    assert len(past.chronology.lines(INCIDENT, Narrowed(), 100)) == 3
    assert len(hub.chronology.lines(INCIDENT, Narrowed(), 100)) == 6


def test_what_was_folded_is_taken_away_when_the_node_closes(hub: Node, hour: Any) -> None:
    for at, _ in hour:
        hub.shelf.past(View(at))
    assert list((hub.home / "replay").iterdir())
    hub.shelf.close()
    assert not list((hub.home / "replay").iterdir())


def test_the_command_tells_the_totals_of_a_time(hub: Node, hour: Any) -> None:
    told = replay.perform(hub, str(hour[2][0]), None, None, None)
    assert told["damage_reports"]["done"] == 1
    assert told["damage_reports"]["open"] == 0
    assert replay.perform(hub, str(hour[3][0]), None, hub.node_id, INCIDENT)["damage_reports"]["open"] == 1


@pytest.mark.parametrize("question", [{"node_id": "00" * 16}, {"incident": str(uuid7())}, {"at": "yesterday"}])
def test_what_the_command_cannot_tell_it_says(hub: Node, hour: Any, question: dict[str, str]) -> None:
    asked = {"at": str(hour[2][0]), "of": None, "node_id": None, "incident": None} | question
    with pytest.raises(AppError) as told:
        replay.perform(hub, **asked)
    assert told.value.hint


def test_a_time_without_an_offset_is_japans() -> None:
    assert moment("2026-06-12T21:00") == moment("2026-06-12T12:00+00:00") == moment("1781265600000")


def test_a_terminal_shows_what_the_hub_knew_and_says_what_of_it_is_not_here(open_node: OpenNode) -> None:
    terminal = open_node("terminal")
    at, hub = terminal.clock(), bytes(16)
    terminal.local_write(lambda db: meta.write(db, "hub_node", hub))
    with pytest.raises(AppError, match="not told"):
        terminal.shelf.past(View(at, "hub"))
    stream = bytes(16) + SCOPE + b"w"
    terminal.local_write(lambda db: frontiers.keep(db, hub, 9, [(at, stream, 5)]))
    past = terminal.shelf.past(View(at, "hub"))
    assert (past.operations, past.missing) == (0, 5)
