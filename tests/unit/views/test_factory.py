"""Every door of the application declares who may go through it, and hardens what it answers."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.permissions import undeclared_events, undeclared_routes


def test_every_route_declares_its_permission(application: Any) -> None:
    assert undeclared_routes(application) == []


def test_every_event_of_a_socket_is_declared(application: Any) -> None:
    server = application.extensions["socketio"].server
    assert undeclared_events(server) == []
    assert set(server.namespace_handlers) == {"/live", "/sync"}


def test_who_is_not_logged_in_is_asked_to(browser: FlaskClient) -> None:
    answer = browser.get("/incidents?x=1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login?back=/incidents?x%3D1"


def test_a_fragment_sends_the_whole_page_to_the_login(browser: FlaskClient) -> None:
    answer = browser.get("/sync/badge", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


def test_a_form_without_its_token_is_refused(browser: FlaskClient) -> None:
    assert browser.post("/settings", data={"palette": "night"}).status_code == 400


def test_pages_carry_the_content_policy_and_are_not_kept(browser: FlaskClient) -> None:
    headers = browser.get("/login").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_nodes_on_one_host_have_cookies_of_their_own(application: Any) -> None:
    assert application.config["SESSION_COOKIE_NAME"] == "tomoshibi_" + "ab" * 6


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1", None])
def test_a_login_never_leads_to_another_site(path: str | None) -> None:
    from app.views.shell import own_path

    assert own_path(path, "/home") == "/home"


@pytest.mark.parametrize("host", ["localhost", "localhost:8400", "127.0.0.1:8400", "[::1]:8400", "HQ.city.example:80"])
def test_a_node_answers_to_its_own_names(browser: FlaskClient, host: str) -> None:
    assert browser.get("/login", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8400", "127.0.0.1.evil.example", "10.0.0.7:8400", "x]"])
def test_a_name_that_somebody_else_gave_this_address_is_refused(browser: FlaskClient, host: str) -> None:
    for path in ("/login", "/healthz", "/enrol/v1/hello", "/api/v1/status", "/nothing"):
        answer = browser.get(path, headers={"Host": host})
        assert answer.status_code == 421 and "own address" in answer.text


def test_what_a_browser_keeps_of_the_pages_goes_with_the_logout(browser: FlaskClient, application: Any) -> None:
    application.config["WTF_CSRF_ENABLED"] = False
    assert browser.post("/logout").headers["Clear-Site-Data"] == '"cache"'
    application.config["WTF_CSRF_ENABLED"] = True
