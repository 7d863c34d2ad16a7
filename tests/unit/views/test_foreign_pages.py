"""What a page of another site makes a browser send is refused before any view; links may be followed."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app import permissions, rates
from app.buckets import Buckets, Rate

WRITES = ("POST", "PATCH", "PUT", "DELETE")


def writing_doors(application: Any) -> list[tuple[str, str]]:
    return sorted(
        (method, rule.rule)
        for rule in application.url_map.iter_rules()
        for method in rule.methods & set(WRITES)
        if permissions.mark_of(application.view_functions[rule.endpoint])
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8401"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://evil.example@localhost"},
        {"Origin": "http://[::1"},
        {"Origin": "file://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
def test_a_form_of_another_origin_reaches_no_view(
    browser: FlaskClient, application: Any, headers: dict[str, str]
) -> None:
    doors = writing_doors(application)
    assert len(doors) > 30
    for method, rule in doors:
        answer = browser.open(rule, method=method, headers=headers, json={})
        assert answer.status_code == 403 and "another site" in answer.text, rule


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Origin": "https://localhost"},
        {"Origin": "http://LOCALHOST", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_the_nodes_own_pages_and_programs_are_let_through(browser: FlaskClient, headers: dict[str, str]) -> None:
    assert "another site" not in browser.post("/login", headers=headers).text


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("cross-site", "navigate", 200),
        ("none", "navigate", 200),
        ("same-origin", "cors", 200),
        ("cross-site", "no-cors", 403),
        ("same-site", "cors", 403),
        ("cross-site", "cors", 403),
    ],
)
def test_a_link_from_elsewhere_is_followed_and_nothing_else_of_elsewhere_is_read(
    browser: FlaskClient, site: str, mode: str, status: int
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert browser.get("/login", headers=headers).status_code == status


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch, new_application: Any) -> FlaskClient:
    """A browser at a node whose buckets hold three requests, and whose clock stands still."""

    def strict(self: rates.Rates) -> None:
        made(self, lambda: 0.0)
        self._buckets = {kind: Buckets(Rate(3, 0.1), 10) for kind in self._buckets}

    made = rates.Rates.__init__
    monkeypatch.setattr(rates.Rates, "__init__", strict)
    client: FlaskClient = new_application().test_client()
    return client


def test_who_asks_too_much_is_told_when_to_come_back(tight: FlaskClient) -> None:
    assert [tight.get("/login").status_code for _ in range(4)] == [200, 200, 200, 429]
    page, machine = tight.get("/login"), tight.get("/api/v1/status")
    assert page.headers["Retry-After"] == "10" and "しばらく待って" in page.text
    assert machine.headers["Retry-After"] == "10"
    assert machine.mimetype == "application/problem+json" and machine.get_json()["code"] == "too_many_requests"


def test_whoever_invents_tokens_has_one_bucket_for_all_of_them(tight: FlaskClient) -> None:
    told = [
        tight.get("/api/v1/status", headers={"Authorization": f"Bearer invented-{number}"}).status_code
        for number in range(5)
    ]
    assert told == [401, 401, 401, 429, 429]
