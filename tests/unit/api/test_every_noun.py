"""Every noun that people work with is in API v1 and its OpenAPI, and can be exported; what is not is named here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.records import KINDS
from tests.house import House, built

SEALED = {"damage-report-people", "staff-contacts", "muster-safety"}  # read through their record, written down first
MARKS = {"channel-reads", "instruction-sightings", "bulletin-sightings"}  # told by what was read: how far, by whom
OF_HQ_ALONE = {"sealed-reads", "heirs"}  # a page and a command; a token of a program has nothing to ask there
OF_THE_NODES = {"shred-receipts", "revocations", "scope-keys", "grants", "shred-orders"}  # nodes write them themselves


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    for house in built(tmp_path_factory.mktemp("nouns")):
        description = house.ask("viewer", "GET", "/api/openapi.json").get_json()
        yield set(house_paths(house)) & set(description["paths"])


def house_paths(house: House) -> Iterator[str]:
    """The addresses that are really there, as the description writes them."""
    for rule in house.app.url_map.iter_rules():
        yield rule.rule.replace("<uuid:", "<").replace("<", "{").replace(">", "}")


def test_every_noun_is_in_the_api_and_its_description(paths: set[str]) -> None:
    missing = {kind.name for kind in KINDS if f"/api/v1/{kind.name}" not in paths}
    assert missing == SEALED | MARKS | OF_HQ_ALONE | OF_THE_NODES


def test_every_noun_of_the_api_can_be_exported(paths: set[str]) -> None:
    listed = {kind.name for kind in KINDS if f"/api/v1/{kind.name}" in paths}
    missing = {name for name in listed for form in ("csv", "xlsx") if f"/api/v1/export/{name}.{form}" not in paths}
    assert missing == {"attachments"}  # files, each fetched by its own address
