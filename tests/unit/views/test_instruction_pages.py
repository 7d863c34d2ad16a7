"""What the pages of an instruction write: that whoever answers it has seen it, and that a voice has not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def given(house: House, text: str) -> str:
    return house.made(
        "instructions", incident_id=house.ids["incident_id"], text=text, recipients=[house.ids["person patrol"]]
    )


def answer(house: House, role: str, instruction: str, **form: str) -> int:
    path = f"/incidents/{house.ids['incident_id']}/instructions/{instruction}/replies"
    return house.ask(role, "POST", path, {"state": "ack", **form}).status_code


def rungs(house: House, instruction: str) -> dict[str, Any]:
    (recipient,) = house.ask("commander", "GET", f"/api/v1/delivery/{instruction}").get_json()["recipients"]
    return dict(recipient)


def test_whoever_answers_on_a_page_has_seen_the_instruction(house: House) -> None:
    """Also one who was faster than the moment after which a page says that it was shown."""
    instruction = given(house, "水門を閉める")
    assert answer(house, "patrol", instruction) == 303
    told = rungs(house, instruction)
    assert told["ack_at"] and told["seen_at"] and told["seen_at"] <= told["ack_at"]
    first = told["seen_at"]
    assert answer(house, "patrol", instruction, state="done") == 303
    assert rungs(house, instruction)["seen_at"] == first


def test_whoever_answered_by_voice_has_not_seen_it(house: House) -> None:
    instruction = given(house, "土のうを積む")
    said = {"on_behalf_of": house.ids["person patrol"], "means": "radio", "voice_means": "radio"}
    assert answer(house, "commander", instruction, **said) == 303
    told = rungs(house, instruction)
    assert not told["seen_at"]
