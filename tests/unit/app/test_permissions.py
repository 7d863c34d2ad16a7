from __future__ import annotations

import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import socketio
from flask import Blueprint, Flask

from app import catalog, permissions
from app.errors import Forbidden
from app.permissions import allowed


@pytest.mark.parametrize(
    ("role", "action", "collection", "wanted"),
    [
        ("viewer", "read", "damage-reports", True),
        ("viewer", "create", "damage-reports", False),
        ("viewer", "create", "chat-messages", False),
        ("patrol", "create", "damage-reports", True),
        ("patrol", "edit", "incidents", False),
        ("shelter_staff", "create", "incidents", True),
        ("hq_operator", "edit", "incidents", True),
        ("commander", "create", "users", False),
        ("admin", "create", "users", True),
        ("admin", "edit", "chat-messages", False),
        ("king", "read", "damage-reports", False),
        (None, "read", "damage-reports", False),
        ("admin", "read", "nothing", False),
    ],
)
def test_the_table(role: Any, action: Any, collection: str, wanted: bool) -> None:
    assert allowed(role, action, collection) is wanted


def test_every_role_of_the_table_is_in_the_catalogue() -> None:
    assert {role for role, _, _ in permissions.TABLE} == set(catalog.table("roles").codes)


def test_own_records_only_where_the_row_says_so() -> None:
    patrol = SimpleNamespace(id="me", role="patrol")
    permissions.require(patrol, "edit", "channels", owner="me")
    with pytest.raises(Forbidden):
        permissions.require(patrol, "edit", "channels", owner="other")
    permissions.require(patrol, "edit", "damage-reports", owner="other")


def test_a_mark_for_a_row_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="write the row first"):
        permissions.permission("weather", "read")


def test_a_route_without_a_mark_is_listed() -> None:
    app = Flask("x", static_folder=None)

    @permissions.public
    def door() -> str:
        return ""

    @permissions.permission("incidents", "read")
    def marked() -> str:
        return ""

    @functools.wraps(marked)
    def wrapped() -> str:
        return marked()

    app.add_url_rule("/door", "door", door)
    app.add_url_rule("/marked", "marked", wrapped)
    app.add_url_rule("/bare", "bare", lambda: "")
    assert permissions.undeclared_routes(app) == ["/bare (bare)"]


def test_the_page_of_the_documents_says_what_the_table_says() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "permissions.md"
    assert page.read_text("utf-8") == permissions.as_page(), "run `python -m app.permissions > docs/permissions.md`"


def test_an_event_that_nobody_declared_is_listed() -> None:
    class Planted(socketio.Namespace):
        def on_connect(self) -> None: ...

        def on_wipe(self) -> None: ...

    server = socketio.Server(async_mode="threading")
    server.register_namespace(Planted("/live"))
    server.on("shout", lambda: None, namespace="/sync")
    assert permissions.undeclared_events(server) == ["/live wipe", "/sync shout"]


def test_a_collection_without_a_row_cannot_be_hung_on_the_api() -> None:
    from app.api import _add
    from app.api.collection import Collection

    kind = SimpleNamespace(name="weather", table="weather", entry=False)
    with pytest.raises(ValueError, match="write the row first"):
        _add(Blueprint("api", __name__), Collection(kind, None))  # type: ignore[arg-type]


def test_a_collection_without_a_row_cannot_be_exported() -> None:
    from app.api import exports
    from app.api.collection import Collection

    kind = SimpleNamespace(name="weather", table="weather", entry=False)
    with pytest.raises(ValueError, match="write the row first"):
        exports.register(Blueprint("api", __name__), None, [Collection(kind, None)])  # type: ignore[arg-type]
