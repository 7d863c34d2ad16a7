from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from queue import Queue
from typing import Any

import pytest
from sqlcipher3 import dbapi2
from uuid6 import uuid7

from app import chronology, records
from app.chronology import Narrowed
from app.node import Node
from app.records import scope_of
from sync.operation import CITY, REMOVE, Change

INCIDENT = str(uuid.UUID(int=uuid7().int))
SCOPE = scope_of("drill", INCIDENT)
ALL = Narrowed()


def an_id() -> uuid.UUID:
    return uuid.UUID(int=uuid7().int)


@pytest.fixture
def told(hub: Node) -> Callable[..., list[str]]:
    hub.write(
        [records.incidents.create(uuid.UUID(INCIDENT), CITY, {"name": "訓練", "mode": "drill", "kind": "flood"})], None
    )

    def lines(**narrowed: Any) -> list[str]:
        return [line.kind for line in hub.chronology.lines(INCIDENT, Narrowed(**narrowed), 100)]

    return lines


def report(node: Node, summary: str = "冠水") -> uuid.UUID:
    record = an_id()
    node.write([records.damage_reports.create(record, SCOPE, {"category": "flood", "summary": summary})], None)
    return record


def write(node: Node, text: str, **more: Any) -> uuid.UUID:
    record = an_id()
    node.write([records.chronicle.create(record, SCOPE, {"text": text} | more)], None)
    return record


def test_each_operation_writes_its_line_by_itself_newest_first(hub: Node, told: Any) -> None:
    record = report(hub)
    versions = hub.versions("damage-reports", SCOPE, str(record))
    hub.write([records.damage_reports.edit(record, SCOPE, {"response_status": "done"}, versions)], None)
    write(hub, "市長が到着")
    assert told() == ["chronicle", "damage-reports", "damage-reports", "incidents"]
    changed = hub.chronology.lines(INCIDENT, ALL, 100)[1]
    assert changed.fields == {"response_status": "done"}


def test_a_hub_reads_behind_each_commit_a_little_at_a_time_until_it_is_stopped(
    hub: Node, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("READ_AT_ONCE", 2), ("GATHERED_S", 0.0), ("BREATH_S", 0.0)):
        monkeypatch.setattr(chronology, name, value)
    read, batches, line_of, batch_of = list[Any](), Queue[bool](), chronology._line, hub.chronology._follow_a_little
    monkeypatch.setattr(chronology, "_line", lambda *row: read.append(row[0]) or line_of(*row))
    at_once: list[int] = []

    def batch() -> bool:
        before = len(read)
        more = batch_of()
        at_once.append(len(read) - before)
        batches.put(more)
        return more

    monkeypatch.setattr(hub.chronology, "_follow_a_little", batch)
    for number in range(5):
        write(hub, f"記録 {number}")
    hub.chronology.keep_ready()
    (thread,) = (one for one in threading.enumerate() if one.name == "chronology")
    await_all(hub, read, batches)
    write(hub, "あとから")
    await_all(hub, read, batches)
    hub.chronology.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert max(at_once) < operations(hub) / 2, "never all of it"
    assert told() == ["chronicle"] * 6 + ["incidents"]
    assert hub.chronology.counts(INCIDENT) == {"written": 6, "other": 1}
    assert len(read) == operations(hub), "nothing is read twice"


def await_all(node: Node, read: list[Any], batches: Queue[bool]) -> None:
    while len(read) < operations(node):
        batches.get(timeout=10)


def operations(node: Node) -> int:
    return int(node.reader().execute("SELECT count(*) FROM op").fetchone()[0])


def test_a_store_that_cannot_be_read_for_a_moment_is_read_behind_the_next_commit(
    hub: Node, told: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(chronology, "GATHERED_S", 0.0)
    tried, batch_of = Queue[str](), hub.chronology._follow_a_little
    failing: list[Exception] = [dbapi2.OperationalError("disk I/O error")]

    def batch() -> bool:
        tried.put("failed" if failing else "read")
        if failing:
            raise failing.pop()
        return batch_of()

    monkeypatch.setattr(hub.chronology, "_follow_a_little", batch)
    hub.chronology.keep_ready()
    assert tried.get(timeout=10) == "failed"
    write(hub, "そのあと")
    assert tried.get(timeout=10) == "read"
    hub.chronology.stop()
    assert "disk I/O error" in caplog.text
    assert told() == ["chronicle", "incidents"]


def test_what_is_set_aside_as_malformed_takes_no_other_line_away(hub: Node, told: Any) -> None:
    write(hub, "その前")
    for broken in ({"happened_at": [1]}, {"source": {"add": 5}}, {"source": {"drop": None}}, {"text": {"add": True}}):
        hub.write([Change("chronicle", an_id().bytes, SCOPE, {"text": "壊れた"} | broken, replaces=None)], None)
    write(hub, "そのあと")
    assert told() == ["chronicle", "chronicle", "incidents"]


def test_a_failure_between_loses_no_line(hub: Node, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write(hub, "その前")

    line_of = chronology._line
    with monkeypatch.context() as broken:  # in the middle of what is written
        broken.setattr(chronology, "_line", lambda *row: (line := line_of(*row)) and (*line[:-1], object()))
        with pytest.raises(dbapi2.Error):
            told()
    assert told() == ["chronicle", "incidents"]
    assert hub.chronology.counts(INCIDENT) == {"written": 1, "other": 1}


def test_a_line_with_a_time_of_its_own_stands_where_it_happened(hub: Node, told: Any) -> None:
    report(hub)
    earlier = hub.clock() - 3_600_000
    write(hub, "水位が上がった", happened_at=earlier)
    last = hub.chronology.lines(INCIDENT, ALL, 100)[-1]
    assert (last.kind, last.at) == ("chronicle", earlier)
    assert last.received_at > earlier


def test_what_does_not_count_is_no_line_and_marks_of_reading_are_none(hub: Node, told: Any) -> None:
    report(hub)
    before = told()
    hub.write([records.channel_reads.mark(SCOPE, str(an_id()), str(an_id()), 1)], None)
    hub.write([Change("damage-reports", an_id().bytes, SCOPE, {"urgency": "no such"}, replaces=None)], None)
    assert told() == before


def test_a_removal_is_a_line_too(hub: Node, told: Any) -> None:
    record = report(hub)
    versions = hub.versions("damage-reports", SCOPE, str(record))
    hub.write([Change("damage-reports", record.bytes, SCOPE, {}, REMOVE, versions, "present")], None)
    assert hub.chronology.lines(INCIDENT, ALL, 1)[0].type == REMOVE


def test_lines_are_narrowed_by_group_words_and_what_was_known_then(hub: Node, told: Any) -> None:
    report(hub, "柳橋で冠水")
    known_at = hub.clock()
    while hub.clock() == known_at:
        pass
    write(hub, "避難指示を検討")
    assert told(groups=("written",)) == ["chronicle"]
    assert told(words="柳橋") == ["damage-reports"]
    assert told(words="100%") == []
    assert told(known_at=known_at) == ["damage-reports", "incidents"]
    assert hub.chronology.counts(INCIDENT) == {"written": 1, "damage": 1, "other": 1}


def test_pages_follow_each_other_without_a_gap_or_a_double(hub: Node, told: Any) -> None:
    for number in range(12):
        write(hub, f"記録 {number}")
    seen: list[int] = []
    before = None
    while page := hub.chronology.lines(INCIDENT, Narrowed(groups=("written",), before=before), 5):
        seen += [line.no for line in page]
        at, origin, seq = page[-1].place.split(".")
        before = (int(at), bytes.fromhex(origin), int(seq))
    assert len(seen) == len(set(seen)) == 12


def test_another_incidents_lines_are_not_here(hub: Node, told: Any) -> None:
    report(hub)
    assert hub.chronology.lines(str(an_id()), ALL, 10) == []


def test_lines_are_narrowed_by_their_source_and_their_time(hub: Node, told: Any) -> None:
    earlier = hub.clock() - 3_600_000
    write(hub, "電話で聞いた", source="phone", happened_at=earlier)
    write(hub, "無線で聞いた", source="radio")
    assert told(source="phone") == ["chronicle"]
    assert told(until=earlier) == ["chronicle"]
    assert told(since=earlier + 1) == ["chronicle", "incidents"]
