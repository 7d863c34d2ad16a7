"""The menu is written once (`templates/_entries.html`), and drawn in the bar, in the column of HQ and on その他."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.house import ROLES, House, built

BAR_MAX = 6  # five, and その他


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("menu"))


def rows(page: str) -> list[tuple[str, str, str]]:
    """(classes, address, letter) of each row of the menu."""
    nav = page[page.index('<nav class="nav"') : page.index("</nav>")]
    return re.findall(r'<li class="([^"]*)">\s*<a href="([^"]+)" data-key="g (\w)"', nav)


@pytest.mark.parametrize("role", ROLES)
def test_each_letter_of_the_menu_opens_one_page_which_is_there(house: House, role: str) -> None:
    browser = house.browser(role)
    found = rows(browser.get(f"/incidents/{house.ids['incident_id']}").text)
    addresses = {letter: address for _, address, letter in found}
    assert len(addresses) >= 12
    assert {(address, letter) for _, address, letter in found} == {(a, n) for n, a in addresses.items()}, "one letter"
    assert {address: browser.get(address).status_code for address in addresses.values()} == dict.fromkeys(
        addresses.values(), 200
    )


@pytest.mark.parametrize("role", ROLES)
def test_the_bar_of_a_tablet_holds_six_and_the_rest_stands_under_other_things(house: House, role: str) -> None:
    browser = house.browser(role)
    found = rows(browser.get(f"/incidents/{house.ids['incident_id']}").text)
    bar = [address for classes, address, _ in found if "wide-only" not in classes]
    column = {address for classes, address, _ in found if "narrow-only" not in classes}
    more = browser.get("/more").text
    assert len(bar) <= BAR_MAX and bar[-1] == "/more"
    elsewhere = set(re.findall(r'class="row-link" href="([^"]+)"', more))
    assert column - set(bar) <= elsewhere


def test_a_page_under_other_things_lights_that_up_on_a_tablet_and_its_own_row_at_hq(house: House) -> None:
    page = house.browser("commander").get(f"/incidents/{house.ids['incident_id']}/chronicle").text
    lit = re.findall(r'<li class="([^"]*)">\s*<a href="([^"]+)" data-key="g \w" aria-current="page"', page)
    assert [(classes.split()[0], address.rpartition("/")[2]) for classes, address in lit] == [
        ("wide-only", "chronicle"),
        ("narrow-only", "more"),
    ]
