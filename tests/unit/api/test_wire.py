from __future__ import annotations

from typing import Any

import pytest

from app.api import wire
from app.errors import Invalid
from app.queries.row import Record
from app.records import KINDS

REPORTS = KINDS.by_name["damage-reports"]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T09:00:00+09:00", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01 00:00:01.5Z", 1_500),
        ("1970-01-01T00:00-00:00", 0),
        ("2019-10-12T20:57:07.123456789+09:00", 1_570_881_427_123),
    ],
)
def test_a_time_with_its_offset_is_read(text: str, ms: int) -> None:
    assert wire.read_time("found_at", text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "2019-10-12T20:57:07",
        "2019-10-12",
        "2019-W41-6T00:00:00Z",
        "20191012T205707+0900",
        "2019-02-30T00:00:00Z",
        "2019-10-12T25:00:00Z",
        "2019-10-12T20:57:07+99:99",
        "２０１９-10-12T20:57:07Z",
        "now",
        "",
        5,
        None,
    ],
)
def test_any_other_time_is_refused(text: Any) -> None:
    with pytest.raises(Invalid) as caught:
        wire.read_time("found_at", text)
    assert caught.value.field == "found_at"


def test_times_and_positions_change_their_form_on_the_way_in_and_out() -> None:
    body = {
        "found_at": "2019-10-12T20:57:07+09:00",
        "location": {"type": "Point", "coordinates": [139.6, 35.8]},
        "summary": "水",
        "colour": 5,
        "address": None,
    }
    form = wire.form_of(REPORTS, body)
    assert form == {
        "found_at": 1_570_881_427_000,
        "location": [139.6, 35.8],
        "summary": "水",
        "colour": 5,
        "address": None,
    }
    assert wire.show(REPORTS, "found_at", form["found_at"]) == body["found_at"]
    assert wire.show(REPORTS, "location", form["location"]) == body["location"]


@pytest.mark.parametrize("name", ["created_at", "updated_at", "author", "node", "number"])
def test_what_is_read_only_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        wire.form_of(REPORTS, {name: None})
    assert caught.value.code == "read_only"


@pytest.mark.parametrize(
    "value",
    [
        [139, 35],
        {"type": "Polygon", "coordinates": []},
        {"type": "Point"},
        {"type": "Point", "coordinates": [1, 2], "crs": 1},
        {"type": ["Point"], "coordinates": [1, 2]},
        "x",
    ],
)
def test_a_position_is_a_geojson_point(value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        wire.form_of(REPORTS, {"location": value})
    assert caught.value.field == "location"


def test_a_record_is_shown_whole() -> None:
    fields = dict.fromkeys(REPORTS.fields)
    record = Record("damage-reports", "r", "64", "i", 0, 1, "u", "n", 0, 0, {**fields, "number": "T07-0001"})
    shown = wire.to_wire(REPORTS, record)
    assert shown["created_at"] == "1970-01-01T09:00:00+09:00"
    assert shown["updated_at"] == "1970-01-01T09:00:00.001+09:00"
    assert (shown["id"], shown["incident_id"], shown["number"], shown["author"]) == (
        "r",
        "i",
        "T07-0001",
        "u",
    )


def test_a_stamp_beyond_the_calendar_is_shown_as_unknown() -> None:
    assert wire.show_time(1 << 47) is not None
    assert wire.show_time(1 << 60) is None


def test_any_value_of_an_operation_can_be_shown() -> None:
    assert wire.plain({"a": [b"\x01", {b"\x02": 1}], "b": 1.5}) == {"a": ["01", {"02": 1}], "b": 1.5}
    assert wire.show(REPORTS, "attachments", {"add": ["x"], "drop": [[b"o", 1, "y"]]}) == {
        "add": ["x"],
        "drop": ["y"],
    }
