"""Does an operation count? Whatever the order in which it and what it depends on arrive."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from msgspec.msgpack import encode as pack

from sync.operation import CITY, ENTRY, TALK, WORK
from sync.oplog import Segment
from sync.verdict import accepted_of, fits
from tests.unit.sync.nodes import (
    DRILL,
    INCIDENT,
    KINDS,
    REAL,
    Author,
    certificate,
    check_whole,
    everything,
    ident,
    make_replica,
    quarantined,
    receive,
    tables,
)

ADMIN = ("enrol", "command", "field")


def in_every_order(*segments: Segment) -> dict[str, Any]:
    """What a node shows; every order of arrival, one at a time and all at once, shows the same."""
    found = []
    for order in itertools.permutations(segments):
        replica = make_replica("reader")
        for segment in order:
            receive(replica, segment)
        found.append(check_whole(replica))
    together = make_replica("reader")
    receive(together, *segments)
    found.append(check_whole(together))
    assert all(one == found[0] for one in found)
    return found[0]


def reports_of(shown: dict[str, Any]) -> set[str]:
    return {row[0]["text"] for key, row in shown["tables"].items() if key[0] == "reports"}


def lost_tablet(operations: int = 3) -> Author:
    lost = Author("lost")
    for number in range(operations):
        lost.write("reports", ident(str(number)), {"text": str(number)})
    return lost


def revoke(admin: Author, lost: Author, seq: int | None, replaces: Any = ()) -> Any:
    accepted = [] if seq is None else [[lost.stream(), seq]]
    return admin.write(
        "revocations", lost.node, {"accepted": accepted, "reason": "lost"}, scope=CITY, replaces=replaces
    )


@pytest.mark.parametrize(
    ("seq", "counts"), [(None, set()), (0, set()), (2, {"0"}), (4, {"0", "1", "2"}), (99, {"0", "1", "2"})]
)
def test_of_a_revoked_device_what_was_accepted_counts(seq: int | None, counts: set[str]) -> None:
    lost, admin = lost_tablet(), Author("admin", ADMIN)
    revoke(admin, lost, seq)
    assert reports_of(in_every_order(*lost.segments(), *admin.segments())) == counts


@pytest.mark.parametrize(("first", "second", "counts"), [(2, 4, {"0", "1", "2"}), (4, 2, {"0"})])
def test_a_revocation_that_replaces_another_may_raise_and_lower_the_number(
    first: int, second: int, counts: set[str]
) -> None:
    lost, admin = lost_tablet(), Author("admin", ADMIN)
    version = revoke(admin, lost, first)
    revoke(admin, lost, second, [version])
    admin_segments = [admin.segment(CITY, WORK, last=2), admin.segment(CITY, WORK, first=3)]
    replica = make_replica("reader")
    for segment in (admin_segments[0], *lost.segments(), admin_segments[1]):
        receive(replica, segment)
    assert reports_of(check_whole(replica)) == counts


def test_of_two_revocations_made_apart_the_lower_number_holds() -> None:
    lost, one, two = lost_tablet(), Author("admin", ADMIN), Author("other", ADMIN)
    revoke(one, lost, 4)
    revoke(two, lost, 2)
    assert reports_of(in_every_order(*lost.segments(), *one.segments(), *two.segments())) == {"0"}


def test_two_nodes_that_revoke_each_other_are_both_revoked() -> None:
    one, two = Author("one", ADMIN), Author("two", ADMIN)
    one.write("reports", ident("a"), {"text": "1"})
    two.write("reports", ident("b"), {"text": "2"})
    revoke(one, two, None)
    revoke(two, one, None)
    shown = in_every_order(*one.segments(), *two.segments())
    assert reports_of(shown) == set()


def test_a_replaced_value_shows_again_when_what_replaced_it_is_revoked() -> None:
    good, lost, admin = Author("good"), Author("lost"), Author("admin", ADMIN)
    version = good.write("reports", ident("a"), {"text": "good"})
    lost.write("reports", ident("a"), {"text": "bad"}, replaces=[version])
    revoke(admin, lost, None)
    assert reports_of(in_every_order(*good.segments(), *lost.segments(), *admin.segments())) == {"good"}


def test_a_device_without_the_right_to_enrol_revokes_nobody() -> None:
    lost, plain = lost_tablet(1), Author("plain", ("field", "command"))
    revoke(plain, lost, None)
    shown = in_every_order(*lost.segments(), *plain.segments())
    assert reports_of(shown) == {"0"}
    assert list(shown["quarantined"].values()) == ["not_capable"]


def test_a_device_without_capability_is_kept_and_does_not_count() -> None:
    bare = Author("bare", ())
    bare.write("reports", ident("a"), {"text": "x"})
    shown = in_every_order(*bare.segments())
    assert (reports_of(shown), list(shown["quarantined"].values())) == (set(), ["not_capable"])


def test_a_certificate_on_the_way_gives_its_rights_from_there_on() -> None:

    device = Author("device", ())
    device.write("reports", ident("a"), {"text": "before"})
    device.certify(REAL, WORK, certificate("device", ("field",), serial=2))
    device.write("reports", ident("b"), {"text": "after"})
    assert reports_of(in_every_order(*device.segments())) == {"after"}


@pytest.mark.parametrize(("mode", "counts"), [("drill", {"drill"}), ("real", {"real"})])
def test_what_was_written_in_another_mode_than_the_incidents_does_not_count(mode: str, counts: set[str]) -> None:
    hq, field = Author("hq", ("command",)), Author("field")
    field.write("reports", ident("a"), {"text": "real"}, scope=REAL)
    field.write("reports", ident("b"), {"text": "drill"}, scope=DRILL)
    hq.write("incidents", INCIDENT, {"name": "x", "mode": mode}, scope=CITY)
    assert reports_of(in_every_order(*field.segments(), *hq.segments())) == counts


MISPLACED = {
    "work in the talk": ("reports", {"text": "x"}, REAL, TALK, 1),
    "an incident's record in the city": ("reports", {"text": "x"}, CITY, WORK, 1),
    "the city's record in an incident": ("incidents", {"name": "x"}, REAL, WORK, 1),
    "a ledger that is set": ("messages", {"text": "x"}, REAL, TALK, 1),
    "a record that is entered": ("reports", {"text": "x"}, REAL, WORK, ENTRY),
    "a ledger that is removed": ("counts", {}, REAL, WORK, 3),
}


@pytest.mark.parametrize("name", MISPLACED)
def test_a_kind_in_a_wrong_place_is_kept_and_does_not_count(name: str) -> None:
    kind, fields, scope, lane, type_ = MISPLACED[name]
    author = Author("author", ADMIN)
    author.write(kind, ident("a"), fields, scope=scope, lane=lane, type=type_)
    shown = in_every_order(*author.segments())
    assert (shown["tables"], list(shown["quarantined"].values())) == ({}, ["misplaced"])


SHAPES = {
    "a number as text": ("reports", {"text": 7}),
    "text as the greatest": ("reports", {"seen": "7"}),
    "nothing as the greatest": ("reports", {"seen": None}),
    "a point beyond the pole": ("reports", {"at": [139.0, 91.0]}),
    "a set that is a list": ("reports", {"tags": ["x"]}),
    "bytes in a set": ("reports", {"tags": {"add": [b"x"]}}),
    "a drop of no version": ("reports", {"tags": {"drop": [[b"x", 1, "x"]]}}),
    "a drop of number nought": ("reports", {"tags": {"drop": [[ident("a"), 0, "x"]]}}),
    "a removal that is true": ("reports", {"removed": True}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_value_of_a_wrong_shape_is_kept_and_does_not_count(name: str) -> None:
    kind, fields = SHAPES[name]
    author = Author("author")
    author.write(kind, ident("a"), fields)
    assert list(in_every_order(*author.segments())["quarantined"].values()) == ["malformed"]


@pytest.mark.parametrize("fields", [{}, {"accepted": 1}, {"accepted": [[1, 2]]}, {"accepted": [], "reason": 7}])
def test_a_revocation_of_a_wrong_shape_does_not_count(fields: dict[str, Any]) -> None:
    admin = Author("admin", ADMIN)
    admin.write("revocations", ident("node"), fields, scope=CITY)
    assert list(in_every_order(*admin.segments())["quarantined"].values()) == ["malformed"]


def test_what_a_newer_release_wrote_is_kept_relayed_byte_for_byte_and_does_not_count() -> None:
    author = Author("author")
    author.write("later-kind", ident("a"), {"anything": [None]})
    author.append_raw(REAL, WORK, pack([2, 3, "sealed", b"\x00"]))
    author.write("reports", ident("b"), {"text": "x"})
    replica = make_replica("reader")
    receive(replica, *author.segments())
    assert list(quarantined(replica).values()) == ["newer_release"] * 2
    assert [segment.bodies for segment in everything(replica)] == [tuple(author.bodies[author.stream()])]
    assert reports_of(check_whole(replica)) == {"x"}


def test_a_field_of_a_newer_release_stays_in_the_log_and_the_rest_counts() -> None:
    author = Author("author")
    author.write("reports", ident("a"), {"text": "x", "later": 1})
    replica = make_replica("reader")
    receive(replica, *author.segments())
    assert tables(replica)["reports", REAL, ident("a")][0] == {"text": "x"}


def test_the_shapes_of_fields() -> None:
    kind = KINDS.by_name["reports"]
    assert fits(kind.fields["text"], None, kind)
    assert not fits(kind.fields["seen"], True, kind)
    assert accepted_of([[b"s", 1]]) == {b"s": 1}
