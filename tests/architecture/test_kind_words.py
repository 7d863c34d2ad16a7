"""Every kind of record and every field of it has a name in words: people settle conflicts by it, of whatever kind.

A new kind, or a new field, gets its line in ``app/catalog/kind_words.toml`` in the same change.
"""

from __future__ import annotations

import pytest

from app import catalog
from app.records import KINDS
from sync.kinds import Kind

SAYS = {"", "user", "team", "node", "shelter", "incident", "who", "time", "flag", "point", "cm", "metres", "report"}


@pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: kind.name)
def test_every_field_of_every_kind_has_a_name_in_words(kind: Kind) -> None:
    words = catalog.kind_words().get(kind.name)
    assert words is not None, f"write [{kind.name}] with its word and fields into app/catalog/kind_words.toml"
    assert set(words.fields) == set(kind.fields), f"the fields of [{kind.name}] in app/catalog/kind_words.toml"
    assert all(said.word and said.english for said in (words, *words.fields.values()))


def test_no_word_is_left_over() -> None:
    assert set(catalog.kind_words()) == {kind.name for kind in KINDS}


def test_values_are_said_by_tables_that_are_there_and_in_ways_that_the_pages_know() -> None:
    fields = [said for words in catalog.kind_words().values() for said in words.fields.values()]
    assert {said.table for said in fields if said.table} <= set(catalog.TABLES)
    assert {said.says for said in fields} <= SAYS
