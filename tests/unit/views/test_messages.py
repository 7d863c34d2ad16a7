"""Every sentence of the pages has an English one, and the compiled catalogue is that of the source."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import Babel

from app import messages

APP = Path(__file__).resolve().parents[3] / "app"
CATALOGUE = APP / "translations" / "en" / "LC_MESSAGES"
METHODS = [("templates/**.html", "jinja2"), ("messages.py", "python")]


def said() -> set[str]:
    found = extract_from_dir(str(APP), method_map=METHODS, options_map={})
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


def english() -> dict[str, str]:
    with (CATALOGUE / "messages.po").open("rb") as source:
        catalogue = read_po(source, locale="en")
    return {str(message.id): str(message.string) for message in catalogue if message.id}


def test_every_sentence_has_an_english_one() -> None:
    known = english()
    assert len(said()) > 300
    assert sorted(sentence for sentence in said() if not known.get(sentence)) == []


def test_no_english_sentence_is_left_over() -> None:
    assert sorted(set(english()) - said()) == []


def test_placeholders_are_the_same_in_both_languages() -> None:
    import re

    names = re.compile(r"%\((\w+)\)s")
    wrong = {ja: en for ja, en in english().items() if sorted(names.findall(ja)) != sorted(names.findall(en))}
    assert wrong == {}


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    """Mend it with: pybabel compile -f -d app/translations"""
    with (CATALOGUE / "messages.mo").open("rb") as compiled:
        found = read_mo(compiled)
    assert {str(message.id): str(message.string) for message in found if message.id} == english()


@pytest.mark.parametrize(
    ("role", "state", "said"),
    [
        ("hub", "self", "本部に届いています"),
        ("terminal", "connected", "本部へ送っています"),
        ("terminal", "down", "つながると自動で送ります"),
    ],
)
def test_a_saved_record_is_said_to_be_where_it_is(role: str, state: str, said: str) -> None:
    node = SimpleNamespace(role=role, links=SimpleNamespace(hub=lambda: {"state": state}))
    app = Flask("test")
    Babel(app)
    with app.test_request_context():
        assert said in messages.saved_here(node)
