from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.errors import Invalid, MethodRefused
from app.records import (
    CITY,
    KINDS,
    NOUNS,
    channel_reads,
    chat_messages,
    damage_reports,
    incidents,
    nodes,
    scope_of,
    shelters,
    users,
)
from sync.operation import ENTRY, SET, encode_body
from sync.verdict import fits

ID = uuid.UUID("01920000-0000-7000-8000-000000000001")
SCOPE = scope_of("drill", str(ID))
REPORT = {"category": "road", "summary": "橋が落ちた"}


def refused(noun: Any, form: dict[str, Any], scope: bytes = SCOPE) -> Invalid:
    with pytest.raises(Invalid) as caught:
        noun.create(ID, scope, form)
    return caught.value


def test_a_report_needs_its_category_and_a_summary() -> None:
    assert refused(damage_reports, {"summary": "x"}).field == "category"
    assert refused(damage_reports, {"category": "road"}).field == "summary"
    assert refused(damage_reports, {**REPORT, "summary": None}).field == "summary"


def test_a_new_report_expects_an_unused_id_and_gets_a_number() -> None:
    change = damage_reports.create(ID, SCOPE, {**REPORT, "urgency": None}, reporter_role="patrol")
    assert change.fields == {**REPORT, "reporter_role": "patrol"}
    assert (change.type, change.expects, change.numbered, change.replaces) == (SET, "absent", "number", ())


def test_an_edit_names_what_the_writer_saw() -> None:
    seen = ((b"o" * 16, 3),)
    change = damage_reports.edit(ID, SCOPE, {"urgency": None, "response_status": "done"}, seen)
    assert change.fields == {"urgency": None, "response_status": "done"}
    assert (change.replaces, change.expects, change.numbered) == (seen, "present", None)
    assert damage_reports.edit(ID, SCOPE, {"urgency": "red"}, None).replaces is None


def test_what_a_form_leaves_out_of_a_set_is_dropped_by_its_tag() -> None:
    live = {"attachments": [[b"o" * 16, 3, "a" * 64], [b"o" * 16, 4, "b" * 64]]}
    change = damage_reports.edit(ID, SCOPE, {"attachments": ["b" * 64, "c" * 64]}, (), live)
    assert change.fields == {"attachments": {"add": ["c" * 64], "drop": [[b"o" * 16, 3, "a" * 64]]}}


@pytest.mark.parametrize("name", ["number", "reporter_role"])
def test_what_the_node_gives_is_never_taken_from_a_form(name: str) -> None:
    assert refused(damage_reports, {**REPORT, name: "x"}).code == "read_only"


def test_a_field_that_nobody_knows_is_named() -> None:
    assert refused(damage_reports, {**REPORT, "colour": "red"}).field == "colour"


def test_an_edit_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        damage_reports.edit(ID, SCOPE, {}, ())
    assert caught.value.code == "nothing_to_change"


def test_the_mode_of_an_incident_is_set_once() -> None:
    incidents.create(ID, CITY, {"name": "訓練", "mode": "drill", "kind": "flood"})
    with pytest.raises(Invalid) as caught:
        incidents.edit(ID, CITY, {"mode": "real"}, ())
    assert caught.value.code == "set_once"


def test_an_entry_of_a_ledger_is_written_once() -> None:
    change = chat_messages.create(ID, SCOPE, {"channel_id": str(ID), "text": "了解"})
    assert change.type == ENTRY
    with pytest.raises(MethodRefused):
        chat_messages.edit(ID, SCOPE, {"text": "x"}, ())


def test_a_read_mark_has_one_record_for_a_channel_and_a_person() -> None:
    first = channel_reads.mark(SCOPE, str(ID), str(ID), 7)
    again = channel_reads.mark(SCOPE, str(ID), str(ID), 9)
    assert first.record == again.record
    with pytest.raises(Invalid):
        channel_reads.mark(SCOPE, str(ID), str(ID), -1)


def test_a_user_belongs_to_the_node_that_the_caller_hands_in() -> None:
    assert users.create(ID, CITY, {"name": "佐藤", "role": "patrol"}, home_node="ab").fields["home_node"] == "ab"
    assert refused(users, {"name": "佐藤", "role": "king"}, CITY).field == "role"


def test_floors_are_a_sorted_list_of_numbers() -> None:
    change = shelters.create(ID, CITY, {"name": "第一小", "usable_floors": [4, 3, 4]})
    assert change.fields["usable_floors"] == [3, 4]
    assert refused(shelters, {"name": "第一小", "usable_floors": "3"}, CITY).field == "usable_floors"


def test_the_longest_report_that_a_form_lets_through_fits_into_one_operation() -> None:
    form = {
        **REPORT,
        "summary": "水" * 200,
        "description": "水" * 2_000,
        "address": "水" * 200,
        "attachments": [f"{number:064x}" for number in range(100)],
        "location": [139.123456789, 35.123456789],
    }
    change = damage_reports.create(ID, SCOPE, form, reporter_role="patrol")
    assert encode_body(1, 1, ID.bytes, change, (), ())


@pytest.mark.parametrize("name", sorted(NOUNS))
def test_every_field_of_a_noun_is_checked_or_given(name: str) -> None:
    noun = NOUNS[name]
    assert set(noun.checks) | set(noun.given) == set(noun.kind.fields)
    assert not set(noun.checks) & set(noun.given)


def test_every_kind_that_has_a_form_is_known_to_the_log() -> None:
    assert set(NOUNS) < {kind.name for kind in KINDS}


def test_what_the_forms_write_has_the_shape_that_the_log_asks_for() -> None:
    made = [
        damage_reports.create(ID, SCOPE, {**REPORT, "location": [1, 2], "attachments": ["a" * 64], "accuracy_m": 5}),
        incidents.create(ID, CITY, {"name": "訓練", "mode": "drill", "kind": "flood", "opened_at": 5}),
        nodes.enrolled("ab" * 16, "T07", "T07", "terminal", ["field"]),
    ]
    for change in made:
        kind = KINDS.by_name[change.kind]
        assert all(fits(kind.fields[name], value, kind) for name, value in change.fields.items())


@pytest.mark.parametrize(
    ("shown", "visible"),
    [
        ({"rescue_needed": True, "response_status": "accepted"}, True),
        ({"rescue_needed": True, "response_status": "done"}, False),
        ({"casualties": "suspected", "response_status": "done"}, True),
        ({"casualties": "none"}, False),
        ({}, False),
    ],
)
def test_a_removal_never_hides_people_or_an_unanswered_rescue(shown: dict[str, Any], visible: bool) -> None:
    keeps = damage_reports.KIND.keeps_visible
    assert keeps is not None and keeps(shown) is visible
