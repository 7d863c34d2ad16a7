from __future__ import annotations

from datetime import datetime

import pytest

from app.errors import Invalid
from app.forms.chronicle import JST, moment, read, written

NOW = int(datetime(2019, 10, 12, 21, 4, 30, tzinfo=JST).timestamp() * 1000)


def shown(ms: int | None) -> str:
    assert ms is not None
    return datetime.fromtimestamp(ms / 1000, JST).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("20:46", "2019-10-12 20:46"),
        ("2046", "2019-10-12 20:46"),
        ("20:46", "2019-10-12 20:46"),
        ("20時46分", "2019-10-12 20:46"),
        ("23:10", "2019-10-11 23:10"),  # has not come yet today
        ("10/11 06:00", "2019-10-11 06:00"),
        ("12月31日 8:05", "2018-12-31 08:05"),
    ],
)
def test_a_time_as_it_is_typed(typed: str, meant: str) -> None:
    assert shown(moment(typed, NOW)) == meant


def at_noon(year: int) -> int:
    return int(datetime(year, 1, 15, 12, 0, tzinfo=JST).timestamp() * 1000)


def test_a_leap_day_is_the_last_one_there_was_within_a_year() -> None:
    assert shown(moment("2/29 10:00", at_noon(2029))) == "2028-02-29 10:00"
    assert shown(moment("2/28 10:00", at_noon(2028))) == "2027-02-28 10:00"
    for year in (2028, 2030):  # not come yet, and none a year before; none in either
        with pytest.raises(Invalid):
            moment("2/29 10:00", at_noon(year))


@pytest.mark.parametrize("typed", ["25:00", "いま", "20:4", "2/30 10:00", "١٢:٣٠"])
def test_what_is_no_time_is_refused_with_a_hint(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        moment(typed, NOW)
    assert refused.value.field == "happened"


def test_an_empty_time_is_now_and_is_not_written() -> None:
    assert read({"text": " 市長が到着 ", "happened": "", "source": "phone"}, NOW) == {
        "text": "市長が到着",
        "source": "phone",
    }


def test_what_happened_more_than_a_day_ago_asks_why_it_is_written_now() -> None:
    late = {"text": "堤防から水", "happened": "10/11 06:00"}
    with pytest.raises(Invalid) as refused:
        read(late, NOW)
    assert refused.value.field == "late_reason"
    assert read(late | {"reason": "聞き取りで分かった"}, NOW)["reason"] == "聞き取りで分かった"
    assert "reason" not in read({"text": "きのうの夜", "happened": "10/11 22:00"}, NOW)


@pytest.mark.parametrize("minutes", [0, 59, 61, 24 * 60, 200 * 24 * 60])
def test_a_time_that_is_written_into_the_form_is_read_back_as_it_was(minutes: int) -> None:
    at = NOW - minutes * 60_000
    assert moment(written(at, NOW), NOW) == at - at % 60_000
