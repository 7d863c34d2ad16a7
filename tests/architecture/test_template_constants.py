"""What a template says of a constant is worked out when it is compiled, and kept: no filter of ours may take one."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, nodes

TEMPLATES = Path(__file__).parents[2] / "app" / "templates"
OF_JINJA = frozenset(Environment().filters)
OF_EACH_READER = {"word", "short"}  # they ask for the context, and are worked out anew for every page


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_filter_of_ours_takes_a_constant(path: Path) -> None:
    """It would speak the language of whoever saw the page first, and keep the words of the release before."""
    assert constants_filtered(path.read_text("utf-8")) == []


def test_a_constant_that_goes_through_a_filter_of_ours_is_found() -> None:
    assert constants_filtered('{{ "hq"|said }} {{ code|said }} {{ "hq"|word("roles") }} {{ "a"|upper }}') == ["said"]


def constants_filtered(source: str) -> list[str]:
    tree = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"]).parse(source)
    return [
        one.name
        for one in tree.find_all(nodes.Filter)
        if one.name not in OF_JINJA | OF_EACH_READER and not any(one.find_all((nodes.Name, nodes.Call)))
    ]
