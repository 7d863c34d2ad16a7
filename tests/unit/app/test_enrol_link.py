"""The link that a new device is given, as it is scanned, pasted or typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Settings
from app.enrol_link import Link, address, addresses, is_link
from app.errors import Invalid

CODE = "MM4A-PG2Y-B52Q-KVM4-KMN3-4R0G-7MXW-AQ7B"


def test_a_link_says_where_and_with_what_code_and_comes_back() -> None:
    link = Link(("https://192.168.11.5:8400", "https://honbu.local:8400"), CODE)
    assert link.text().startswith("tomoshibi://enrol?hub=https://192.168.11.5:8400&hub=")
    assert Link.parse(f"  {link.text()}\n") == link and is_link(link.text().upper())


@pytest.mark.parametrize(
    "text",
    [
        "",
        CODE,
        "https://enrol?hub=https://a&code=x",
        "tomoshibi://enrol?code=x",
        "tomoshibi://enrol?hub=https://a",
        "tomoshibi://other?hub=https://a&code=x",
        "tomoshibi://enrol?hub=https://a&code=x&code=y",
        "tomoshibi://enrol?" + "hub=https://a&" * 9 + "code=x",
        "tomoshibi://enrol?hub=javascript:alert(1)&code=x",
        "tomoshibi://enrol?hub=https://a/b&code=x",
        "tomoshibi://[",
        "tomoshibi://enrol?hub=https://a&code=" + "x" * 2000,
    ],
)
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Link.parse(text)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("192.168.1.5:8400", "https://192.168.1.5:8400"),
        (" honbu.local/ ", "https://honbu.local"),
        ("127.0.0.1:8400", "http://127.0.0.1:8400"),
        ("http://10.0.0.1:80", "http://10.0.0.1:80"),
        ("https://[fd00::1]:8400", "https://[fd00::1]:8400"),
    ],
)
def test_an_address_is_read_as_people_type_it(typed: str, read: str) -> None:
    assert address(typed) == read


@pytest.mark.parametrize(
    "typed", ["", "https://", "ftp://a", "https://a:99999", "https://u@a", "https://a?b", "a b://"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        address(typed)


def test_a_hub_names_how_it_was_called_then_its_names() -> None:
    settings = Settings(Path("/nowhere"), names="honbu.local", tls_cert=Path("/cert"))
    assert addresses(settings, "192.168.1.5:8400") == ("https://192.168.1.5:8400", "https://honbu.local:8400")
    assert addresses(settings, "127.0.0.1:8400") == ("https://honbu.local:8400",)
    assert addresses(Settings(Path("/nowhere")), "127.0.0.1:8400") == ("http://127.0.0.1:8400",)
