from __future__ import annotations

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from app.api import paging
from app.errors import Invalid


def args(*pairs: tuple[str, str]) -> MultiDict[str, str]:
    return MultiDict(pairs)


def test_good_parameters_are_read() -> None:
    given = args(
        ("limit", "500"),
        ("bbox", "139,35,140,36"),
        ("since", "1970-01-01T09:00:00 09:00"),
        ("status", "open,done"),
    )
    assert paging.limit(given) == 500
    assert paging.bbox(given) == (139, 35, 140, 36)
    assert paging.since(given) == 0
    assert paging.codes(given, "status", ("open", "done")) == ("open", "done")


def test_what_is_not_given_is_no_filter() -> None:
    assert paging.limit(args()) == 100
    assert paging.bbox(args()) is paging.since(args()) is paging.cursor(args()) is None
    assert paging.codes(args(), "status", ("open",)) == ()


@pytest.mark.parametrize("text", ["0", "501", "-1", "x", "", "1e2", "９", "1" * 30])
def test_a_limit_is_an_integer_up_to_500(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        paging.limit(args(("limit", text)))
    assert caught.value.field == "limit"


@pytest.mark.parametrize("text", ["1,2,3", "x", "nan,0,1,1", "1,2,0,3", "-181,0,0,0", "0,0,0,inf", "1,2,3,4,5"])
def test_a_box_is_four_degrees_in_order(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        paging.bbox(args(("bbox", text)))
    assert caught.value.field == "bbox"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (args(("limit", "1"), ("limit", "2")), "limit"),
        (args(("colour", "red")), "colour"),
        (args(("\0", "")), "\\0"),
    ],
)
def test_a_name_that_nobody_knows_or_that_stands_twice_is_refused(given: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        paging.check_names(given, ("limit",))
    assert caught.value.field == field
