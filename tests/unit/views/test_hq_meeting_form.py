"""The form of a meeting: what was typed, and on an edit only what was changed."""

from __future__ import annotations

from datetime import datetime

import pytest

from app.errors import Invalid
from app.forms import hq_meeting as forms
from app.forms.chronicle import JST

NOW = int(datetime(2026, 6, 1, 21, 0, tzinfo=JST).timestamp() * 1000)


def test_a_meeting_without_a_time_is_held_now() -> None:
    fields = forms.read_new({"meeting_no": "3", "place": " 本庁3階 ", "agenda": ""}, ["chief", "chief"], NOW)
    assert fields == {"meeting_no": 3, "place": "本庁3階", "held_at": NOW, "attendees": ["chief"]}


@pytest.mark.parametrize("number", ["", "三", "1000", "-1", "1.5"])
def test_a_number_is_digits(number: str) -> None:
    with pytest.raises(Invalid) as caught:
        forms.read_new({"meeting_no": number}, [], NOW)
    assert caught.value.field == "meeting_no"


def test_an_edit_writes_what_was_changed_and_nothing_else() -> None:
    form = {"agenda": "水位", "_was_agenda": "水位", "information": "", "_was_information": "古い", "ended": "20:30"}
    fields = forms.read_edit(form | {"_was_ended": ""}, ["chief"], ["chief"], NOW)
    assert fields == {"information": None, "ended_at": NOW - 30 * 60_000}
    assert forms.read_edit({}, [], ["chief"], NOW) == {"attendees": []}


def test_each_line_is_a_decision() -> None:
    assert forms.read_decisions({"decisions": "避難指示を出す\n\n  橋を閉じる \n"}) == ["避難指示を出す", "橋を閉じる"]
    with pytest.raises(Invalid):
        forms.read_decisions({"decisions": "\n".join("x" * 31)})
