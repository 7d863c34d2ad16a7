from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.errors import Invalid
from app.records import channels, scope_of

INCIDENT = "01920000-0000-7000-8000-000000000001"
SCOPE = scope_of("drill", INCIDENT)
ONE, OTHER = ("00000000-0000-7000-8000-00000000000" + last for last in "12")


def test_a_standing_channel_has_one_id_whoever_opens_it() -> None:
    pair = [channels.standing(SCOPE, INCIDENT, "direct", "甲・乙", about) for about in ((ONE, OTHER), (OTHER, ONE))]
    assert pair[0] == pair[1]
    ids = {
        channels.standing(SCOPE, INCIDENT, what, "名", about).record
        for what, about in (("all", ()), ("hq", ()), ("shelter", (ONE,)), ("team", (ONE,)), ("direct", (ONE, OTHER)))
    }
    assert len(ids) == 5
    other = channels.standing(SCOPE, "01920000-0000-7000-8000-000000000002", "hq", "本部内")
    assert other.record not in ids


def test_the_first_channel_keeps_the_id_that_it_has_had() -> None:
    assert channels.standing_id(INCIDENT, {"standing": "all"}) == uuid.uuid5(uuid.UUID(INCIDENT), "channel")
    assert channels.standing_id(INCIDENT, {"name": "班長だけ"}) is None


@pytest.mark.parametrize(
    "form",
    [
        {"standing": "direct", "members": [ONE]},
        {"standing": "direct", "members": [ONE, ONE]},
        {"standing": "team"},
        {"standing": "shelter"},
        {"standing": "hq", "members": [ONE]},
        {"standing": "all", "shelter_id": ONE},
    ],
)
def test_one_that_does_not_say_whose_it_is_is_refused(form: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        channels.standing_id(INCIDENT, form)
