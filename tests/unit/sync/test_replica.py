"""The replica: one transaction for log and tables, in memory and on disk the same, whatever fails."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sync import limits
from sync.authoring import Exists, Missing, Recorded, StaleVersion
from sync.clock import hlc_of, ms_of
from sync.errors import BadChange, NotEnrolled
from sync.operation import CITY, REMOVE, Change, incident_scope
from sync.replica import Identity
from tests.unit.sync.nodes import (
    INCIDENT,
    NOW,
    REAL,
    Author,
    Time,
    awaited,
    certificate,
    check_whole,
    connect,
    everything,
    ident,
    make_replica,
    receive,
    report,
    shown,
    tables,
    write,
)


def values(replica: Any, name: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = tables(replica)["reports", REAL, ident(name)][0]
    return found


def test_an_edit_replaces_what_its_writer_saw() -> None:
    node = make_replica("node")
    write(node, report("a", text="1"))
    write(node, report("a", text="2"))
    assert (values(node)["text"], tables(node)["reports", REAL, ident("a")][2]) == ("2", 0)


def test_two_edits_that_did_not_see_each_other_are_a_conflict() -> None:
    node = make_replica("node")
    write(node, report("a", text="1"))
    write(node, report("a", text="2", replaces=()))
    assert tables(node)["reports", REAL, ident("a")][2] == 1


def test_a_removed_record_is_hidden_until_somebody_who_saw_that_edits_it() -> None:
    node = make_replica("node")
    write(node, report("a", text="1"))
    write(node, Change("reports", ident("a"), REAL, {}, REMOVE, None))
    hidden = tables(node)["reports", REAL, ident("a")][1]
    write(node, report("a", text="2"))
    assert (hidden, tables(node)["reports", REAL, ident("a")][1]) == (True, False)


def test_making_what_is_there_is_answered_so() -> None:
    node = make_replica("node")
    write(node, report("a", text="1"))
    change = Change("reports", ident("a"), REAL, {"text": "2"}, expects="absent")
    assert write(node, change) == Exists(change.key)


def test_editing_what_is_not_there_is_answered_so() -> None:
    change = Change("reports", ident("a"), REAL, {"text": "2"}, expects="present")
    assert write(make_replica("node"), change) == Missing(change.key)


def test_a_version_of_another_record_is_stale() -> None:
    node = make_replica("node")
    done = write(node, report("b", text="1"))
    stream, seq = done.versions[0]
    assert isinstance(write(node, report("a", text="2", replaces=((stream[:16], seq),))), StaleVersion)


def test_all_changes_of_a_call_are_kept_or_none() -> None:
    node = make_replica("node")
    before = shown(node)
    with pytest.raises(BadChange):
        write(node, report("a", text="1"), report("b", text="\0"))
    assert {**shown(node), "vector": {}} == {**before, "vector": {}}
    check_whole(node)


def test_numbers_are_given_without_a_gap_also_after_a_failure() -> None:
    node = make_replica("node")
    with pytest.raises(BadChange):
        write(node, Change("reports", ident("a"), REAL, {"text": "\0"}, numbered="number"))
    write(node, Change("reports", ident("a"), REAL, {"text": "x"}, numbered="number"))
    assert values(node)["number"] == "NODE-0001"


def test_a_node_without_a_certificate_writes_nothing() -> None:
    node = make_replica("node")
    node.identity = Identity(node.identity.key, node.identity.node_id, None, None)
    with pytest.raises(NotEnrolled):
        write(node, report("a", text="1"))


def test_a_failed_job_leaves_memory_as_it_was() -> None:
    one, node = Author("one"), make_replica("node")
    one.write("reports", ident("a"), {"text": "x"}, replaces=[(ident("nobody"), 3)])

    def receive_and_fail(replica: Any) -> None:
        replica.receive(one.segments(), None)
        replica.revoke(one.node, {}, "lost", None)
        raise ValueError("a bug of the job")

    write(node, report("b", text="kept"))
    before = shown(node)
    results, committed = node.run_batch([receive_and_fail])
    assert isinstance(results[0], ValueError)
    assert shown(node) == before
    assert committed.changed == frozenset()
    assert not node.is_revoked(one.node)


def test_a_failed_job_does_not_hide_the_own_writes_of_its_batch_from_the_file_beside_the_store() -> None:
    told: list[Any] = []
    node = make_replica("node", on_own_commit=lambda incarnation, last: told.append(last))
    node.run_batch([lambda r: r.record([report("a", text="1")], None), lambda r: 1 / 0])
    assert [list(last.values()) for last in told] == [[2]]


def test_a_batch_that_is_durable_is_not_called_failed_when_the_file_beside_it_cannot_be_written() -> None:
    told: list[Any] = []

    def note(incarnation: bytes, last: Any) -> None:
        told.append(last)
        if len(told) == 1:
            raise OSError(28, "no space left")

    node = make_replica("node", on_own_commit=note)
    assert isinstance(write(node, report("a", text="1")), Recorded)
    node.run_batch([lambda r: None])  # the next commit tells it
    assert len(told) == 2


def test_the_clock_does_not_fall_back_over_a_restart() -> None:
    time, connection = Time(), connect()
    node = make_replica("node", now=time, connection=connection)
    first = write(node, report("a", text="1")).hlc
    time.ms -= 60_000
    again = make_replica("node", now=time, connection=connection)
    assert write(again, report("a", text="2")).hlc > first


def test_a_stamp_that_was_read_is_kept_with_the_commit_that_read_it() -> None:
    one, connection = Author("one"), connect()
    one.write("reports", ident("a"), {"text": "x"}, hlc=hlc_of(NOW + 60_000))
    receive(make_replica("node", connection=connection), *one.segments())
    again = make_replica("node", connection=connection)
    assert ms_of(again.clock.last) == NOW + 60_000


def test_an_edit_that_saw_a_tablet_ten_years_ahead_replaces_it() -> None:
    one, node = Author("one"), make_replica("node")
    one.write("reports", ident("a"), {"text": "future"}, hlc=hlc_of(NOW + 315_360_000_000))
    receive(node, *one.segments())
    write(node, report("a", text="now"))
    assert values(node)["text"] == "now"
    assert ms_of(node.clock.last) == NOW


def test_a_new_certificate_is_written_into_each_stream_before_the_next_operation() -> None:
    node = make_replica("node", ("field",))
    write(node, report("a", text="1"))
    held = certificate("node", ("field", "command"), serial=2)
    node.identity = Identity(node.identity.key, node.identity.node_id, node.identity.root_public, held)
    write(node, report("a", text="2"))
    stream = next(iter(node.streams.values()))
    assert [seq for seq, _ in stream.certificates] == [1, 3]
    reader = make_replica("reader")
    receive(reader, *everything(node))
    assert check_whole(reader)["digest"] == check_whole(node)["digest"]


def test_a_new_incarnation_begins_new_streams_and_keeps_the_old_ones() -> None:
    node = make_replica("node")
    write(node, report("a", text="1"))
    before = node.origin
    node.run_batch([lambda r: r.new_incarnation()])
    write(node, report("a", text="2"))
    assert node.origin != before
    assert sorted(node.vector.values()) == [2, 2]
    assert values(node)["text"] == "2"


def test_the_numbers_of_a_store_that_was_put_back_are_not_those_it_gave_after_the_copy() -> None:
    node = make_replica("node")
    for record in "ab":
        write(node, Change("reports", ident(record), REAL, {"text": "x"}, numbered="number"))
    node.run_batch([lambda r: r.set_meta("number:reports", (1).to_bytes(8, "big"))])  # the copy knew of one only
    node.run_batch([lambda r: r.new_incarnation()])
    node.reload()
    write(node, Change("reports", ident("c"), REAL, {"text": "x"}, numbered="number"))
    number = values(node, "c")["number"]
    assert re.fullmatch(r"NODE[a-z]{2}-000[23]", number) and values(node, "b")["number"] == "NODE-0002"


def test_a_rebuild_gives_the_same_over_more_runs_than_one_page() -> None:
    node = make_replica("node")
    node.run_batch([lambda r, n=n: r.record([report(str(n % 50), text=str(n))], None) for n in range(700)])
    one = Author("one")
    one.write("reports", ident("1"), {"text": "apart"}, replaces=[(ident("nobody"), 2)])
    receive(node, *one.segments())
    assert len(awaited(node)) == 1
    check_whole(node)


def test_what_a_peer_says_of_another_node_is_no_receipt() -> None:
    one, node = Author("one"), make_replica("node")
    one.write("reports", ident("a"), {"text": "x"})
    receive(node, *one.segments())
    (kept,), _ = node.run_batch([lambda r: r.keep_receipts(ident("peer"), [(one.stream(), 2, b"h" * 16)])])
    assert kept == 0


def test_a_receipt_for_another_chain_is_no_receipt() -> None:
    node = make_replica("node")
    write(node, report("a", text="1"))
    stream = next(iter(node.streams.values()))
    (kept, forged), _ = node.run_batch(
        [
            lambda r: r.keep_receipts(ident("peer"), [(stream.id, 2, stream.head[:16])]),
            lambda r: r.keep_receipts(ident("other"), [(stream.id, 2, b"h" * 16)]),
        ]
    )
    assert (kept, forged) == (1, 0)


def test_the_incident_is_a_city_record() -> None:
    node = make_replica("node")
    write(node, Change("incidents", INCIDENT, CITY, {"name": "flood", "mode": "real"}))
    assert node.projector.facts.modes == {INCIDENT: b"r"}


def test_a_revocation_leaves_out_streams_that_hold_a_certificate_and_nothing_else() -> None:
    admin, lost = make_replica("admin"), Author("lost")
    lost.certify(REAL, b"t")
    lost.write("reports", ident("a"), {"text": "x"})
    receive(admin, *lost.segments())
    admin.run_batch([lambda r: r.revoke(lost.node, None, "lost", None)])
    assert admin.projector.facts.revoked[lost.node] == [{lost.stream(): 2}]
    assert set(tables(admin)) == {("reports", REAL, ident("a")), ("revocations", CITY, lost.node)}


def test_a_revocation_that_names_more_streams_than_a_body_holds_says_what_to_do() -> None:
    node = make_replica("admin")
    streams = {ident("origin") + incident_scope("real", ident(str(n))) + b"w": 10**9 for n in range(400)}
    fitting = dict(sorted(streams.items())[: limits.REVOCATION_STREAMS_MAX])
    (error, result), _ = node.run_batch(
        [
            lambda r: r.revoke(ident("lost"), streams, "lost", None),
            lambda r: r.revoke(ident("lost"), fitting, "失" * 300, None),
        ]
    )
    assert isinstance(error, BadChange) and "400 streams" in str(error) and "fewer streams" in error.hint
    assert isinstance(result, Recorded)
