"""Devices through the pages of a hub: whose each is, and how it is called."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest

from tests.house import House, built


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def form_of(house: House, page: str) -> dict[str, str]:
    """What stands in the form as it was drawn."""
    shown = house.ask("admin", "GET", page).text
    names = "owner|call_by|versions|_was_owner|_was_call_by"
    found = re.findall(rf'<input[^>]*name="({names})"[^>]*?value="([^"]*)"', shown)
    return {name: value.replace("&#34;", '"') for name, value in found}


def test_the_owner_and_the_number_are_kept_and_what_another_filled_in_meanwhile_stays(house: House) -> None:
    page = f"/devices/{uuid.UUID(hex=house.node.node_id)}"
    first, second = form_of(house, page), form_of(house, page)
    assert house.ask("admin", "POST", f"{page}/owner", {**first, "call_by": "無線 3"}).status_code == 303
    assert house.ask("admin", "POST", f"{page}/owner", {**second, "owner": "統括班"}).status_code == 303
    shown = house.ask("admin", "GET", page).text
    assert "<dd>無線 3</dd>" in shown and "<dd>統括班</dd>" in shown
    emptied = {**form_of(house, page), "call_by": ""}
    assert house.ask("admin", "POST", f"{page}/owner", emptied).status_code == 303
    assert form_of(house, page)["call_by"] == "" and form_of(house, page)["owner"] == "統括班"
