"""The projector: what is folded, awaited, judged anew and rebuilt."""

from __future__ import annotations

from typing import Any

import pytest

from sync import arrival, projector
from sync.operation import CITY, NewerBody, decode_body, split_stream
from tests.unit.sync.nodes import (
    INCIDENT,
    REAL,
    Author,
    awaited,
    check_whole,
    ident,
    make_replica,
    quarantined,
    receive,
    tables,
)


def test_a_misplaced_incident_does_not_wipe_out_the_mode_of_the_real_one() -> None:
    # It once did, and the two records judged each other for ever: the writer hung.
    hq, field = Author("hq", ("command", "field")), Author("field", ("field",))
    hq.write("incidents", INCIDENT, {"name": "flood", "mode": "drill"}, scope=CITY)
    field.write("incidents", INCIDENT, {"name": "forged", "mode": "real"})
    field.write("reports", ident("a"), {"text": "x"})
    replica = make_replica("reader")
    receive(replica, *field.segments())
    receive(replica, *hq.segments())
    assert replica.projector.facts.modes == {INCIDENT: b"d"}
    assert set(quarantined(replica).values()) == {"misplaced", "mode_mismatch"}


def test_a_misplaced_revocation_does_not_lift_the_real_one() -> None:
    admin, lost = Author("admin", ("enrol",)), Author("lost", ("field",))
    admin.write("revocations", lost.node, {"accepted": [], "reason": "lost"}, scope=CITY)
    lost.write("revocations", lost.node, {"accepted": [[lost.stream(), 9]], "reason": ""})
    lost.write("reports", ident("a"), {"text": "x"})
    replica = make_replica("reader")
    receive(replica, *admin.segments())
    receive(replica, *lost.segments())
    replica.projector.recompute(("revocations", REAL, lost.node))
    replica.run_batch([lambda r: r.receive([], None)])
    assert replica.is_revoked(lost.node)
    assert not [key for key in tables(replica) if key[0] == "reports"]


def test_an_operation_that_drops_its_own_addition_keeps_it_in_every_order() -> None:
    author = Author("field")
    author.certify(REAL, b"w")
    own = (author.origin, 2)
    author.write("reports", ident("a"), {"tags": {"add": ["x"], "drop": [[*own, "x"]]}})
    replica = make_replica("reader")
    receive(replica, *author.segments())
    check_whole(replica)
    assert tables(replica)["reports", REAL, ident("a")][0]["tags"] == ["x"]


def test_only_the_records_of_facts_are_watched_for_changed_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    hq, field = Author("hq", ("command", "field")), Author("field", ("field",))
    hq.write("incidents", INCIDENT, {"name": "flood", "mode": "real"}, scope=CITY)
    for number in range(100):
        field.write("reports", ident(str(number)), {"text": "x"})
    seen: list[Any] = []
    real = projector.Projector.watched
    monkeypatch.setattr(projector.Projector, "watched", lambda self: seen.extend(real(self)) or real(self))
    replica = make_replica("reader")
    receive(replica, *hq.segments(), *field.segments())
    assert {key for key, _ in seen} == {("incidents", CITY, INCIDENT)}
    assert replica.projector.facts.modes == {INCIDENT: b"r"}


@pytest.mark.parametrize(("mode", "judged"), [("real", False), ("drill", True)])
def test_an_incident_that_comes_after_its_reports_has_them_judged_only_in_another_mode(mode: str, judged: bool) -> None:
    # 10,000 reports that were here before their incident were rebuilt one by one when it came.
    hq, field = Author("hq", ("command", "field")), Author("field", ("field",))
    hq.write("incidents", INCIDENT, {"name": "flood", "mode": mode}, scope=CITY)
    field.write("reports", ident("a"), {"text": "x"})
    replica = make_replica("reader")
    receive(replica, *field.segments())
    reads: list[str] = []
    replica.connection.set_trace_callback(reads.append)
    receive(replica, *hq.segments())
    replica.connection.set_trace_callback(None)
    assert any("WHERE record =" in read for read in reads) == judged
    assert set(quarantined(replica).values()) == ({"mode_mismatch"} if judged else set())
    check_whole(replica)


def test_a_version_that_is_named_and_not_here_is_awaited_until_it_comes() -> None:
    one, two = Author("one"), Author("two")
    version = one.write("reports", ident("a"), {"text": "old"})
    two.write("reports", ident("a"), {"text": "new"}, replaces=[version])
    replica = make_replica("reader")
    receive(replica, *two.segments())
    assert len(awaited(replica)) == 1
    receive(replica, *one.segments())
    assert awaited(replica) == set()
    row = tables(replica)["reports", REAL, ident("a")]
    assert (row[0]["text"], row[2]) == ("new", 0)


def test_a_version_that_comes_without_counting_is_no_longer_awaited() -> None:
    one, two = Author("one", ()), Author("two")
    version = one.write("reports", ident("a"), {"text": "old"})
    two.write("reports", ident("a"), {"text": "new"}, replaces=[version])
    replica = make_replica("reader")
    receive(replica, *two.segments())
    receive(replica, *one.segments())
    assert awaited(replica) == set()
    check_whole(replica)


def test_a_record_woken_by_two_versions_at_once_is_folded_once() -> None:
    one, two = Author("one"), Author("two")
    first = one.write("reports", ident("a"), {"text": "1"})
    second = one.write("reports", ident("a"), {"text": "2"}, replaces=[first])
    two.write("reports", ident("a"), {"text": "3", "tags": {"add": ["x"]}}, replaces=[first, second])
    replica = make_replica("reader")
    receive(replica, *two.segments())
    receive(replica, *one.segments())
    check_whole(replica)
    assert tables(replica)["reports", REAL, ident("a")][0] == {"text": "3", "tags": ["x"]}


def test_the_earlier_of_two_entries_under_one_id_is_the_record() -> None:
    one, two = Author("one"), Author("two")
    one.write("messages", ident("m"), {"text": "late"}, lane=b"t", type=2, hlc=9)
    two.write("messages", ident("m"), {"text": "early"}, lane=b"t", type=2, hlc=5)
    for order in (one.segments() + two.segments(), two.segments() + one.segments()):
        replica = make_replica("reader")
        receive(replica, *order)
        check_whole(replica)
        assert tables(replica)["messages", REAL, ident("m")][0] == {"text": "early"}


def test_what_an_older_release_could_not_read_is_built_into_its_record_after_the_upgrade(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log's index had no record for such a body, so every later rebuild of the record missed it."""
    one, two = Author("one"), Author("two")
    newer = one.write("reports", ident("a"), {"text": "of a newer release"})
    two.write("reports", ident("a"), {"depth": 1.0}, replaces=[(two.origin, 9)])
    replica = make_replica("reader")

    def older(body: bytes, stream: bytes, seq: int) -> Any:
        return NewerBody(*split_stream(stream), seq, 2) if seq == newer[1] else decode_body(body, stream, seq)

    with monkeypatch.context() as old_release:
        for module in (arrival, projector):
            old_release.setattr(module, "decode_body", older)
        receive(replica, *one.segments())
    replica.rebuild()
    receive(replica, *two.segments())
    replica.projector.recompute(("reports", REAL, ident("a")))
    replica.run_batch([lambda r: r.receive([], None)])
    assert tables(replica)["reports", REAL, ident("a")][0] == {"text": "of a newer release", "depth": 1.0}
    check_whole(replica)


def test_a_segment_edits_more_records_than_one_statement_reads() -> None:
    one, two = Author("one"), Author("two")
    versions = [one.write("reports", ident(str(n)), {"text": "old"}) for n in range(230)]
    for number, version in enumerate(versions):
        two.write("reports", ident(str(number)), {"text": "new"}, replaces=[version])
    replica = make_replica("reader")
    receive(replica, *one.segments())
    receive(replica, *two.segments())
    assert {row[0]["text"] for row in tables(replica).values()} == {"new"}
    check_whole(replica)


def test_a_real_of_minus_nought_is_hashed_as_the_nought_that_the_table_gives_back() -> None:
    # It once was not: nodes that took two operations at once and one by one had other digests for ever.
    author = Author("field")
    author.write("reports", ident("a"), {"depth": -0.0})
    author.write("reports", ident("a"), {"text": "x"})
    at_once, one_by_one = make_replica("one"), make_replica("two")
    receive(at_once, *author.segments())
    for last in (2, 3):
        receive(one_by_one, author.segment(last=last))
    assert check_whole(at_once) == check_whole(one_by_one)
