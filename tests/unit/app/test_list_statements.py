"""No page of a list asks the store once a row: with five times the rows it asks as many statements as before."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.house import House, built

AGAIN = 6


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    """Statements of each page of the menu with one row of each kind, and with some more."""
    for house in built(tmp_path_factory.mktemp("statements")):
        _more(house, AGAIN)  # one of each first: a page asks for the names of each kind that it says something of
        few = statements(house)
        for number in range(AGAIN):
            _more(house, number)
        yield few, statements(house)


def statements(house: House) -> dict[str, int]:
    """How many statements the second drawing of each page asks: what is asked once for ever is known by then."""
    here, browser = f"/incidents/{house.ids['incident_id']}", house.browser("commander")
    page = browser.get(here).text
    nav = page[page.index('<nav class="nav"') : page.index("</nav>")]
    paths = set(re.findall(r'<a href="([^"]+)"', nav))
    paths |= {f"{here}/chat/{house.ids['channel_id']}", f"{here}/sealed-reads", f"{here}/map?view=list", "/users"}
    asked: list[str] = []
    found = {}
    for path in sorted(paths):
        browser.get(path)
        asked.clear()
        house.node.reader().set_trace_callback(asked.append)
        assert browser.get(path).status_code == 200, path
        house.node.reader().set_trace_callback(None)
        found[path.replace(here, "")] = len(asked)
    return found


def _more(house: House, number: int) -> None:
    """One more of each kind that a list has rows of; a list that lands adds its own here."""
    incident, patrol = house.ids["incident_id"], house.ids["person patrol"]
    report = house.made("damage-reports", incident_id=incident, category="flood", summary=f"冠水 {number}")
    told = house.made("instructions", incident_id=incident, text="土のう", recipients=[patrol], damage_report_id=report)
    house.made("instruction-replies", instruction_id=told, state="ack")
    house.made("chronicle", incident_id=incident, text=f"記録 {number}")
    house.made("chat-messages", channel_id=house.ids["channel_id"], text=f"了解 {number}")
    house.made("channels", incident_id=incident, name=f"場所 {number}")
    shelter = house.made("shelters", name=f"東小学校{number}")
    house.made("shelter-openings", incident_id=incident, shelter_id=shelter, opening_status="open")
    house.made("head-counts", incident_id=incident, shelter_id=shelter, total=number)
    house.made("patrol-points", incident_id=incident, status="safe", location={"type": "Point", "coordinates": [1, 1]})


def test_no_page_asks_once_a_row(counted: tuple[dict[str, int], dict[str, int]]) -> None:
    few, many = counted
    assert len(few) >= 14
    assert {path: (few[path], many[path]) for path in few if many[path] > few[path]} == {}


def test_no_page_of_a_list_asks_more_than_a_person_would_wait_for(
    counted: tuple[dict[str, int], dict[str, int]],
) -> None:
    """A page without its rows asks some 30. The front page stands on twelve lists, and each asks of which disasters it
    is: a third of its statements find no row and take 20 µs."""
    assert {path: asked for path, asked in counted[1].items() if asked > (120 if path == "" else 80)} == {}
