"""The page of a locked node: what it shows, what it refuses before a try is spent, and what opens it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import birth, locked
from app.config import Settings
from app.locked import Lock
from app.store import envelope, pin
from app.store.errors import KeyLocked
from app.store.folder import DataFolder
from app.store.keys import read_keys

PIN = "190417"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    monkeypatch.setattr(envelope, "MEMORY_KIB", 64)
    monkeypatch.setattr(envelope, "TIME", 1)
    folder = DataFolder(tmp_path / "hub")
    birth.make_node(folder, "hub", "本部", Settings(folder.path, ballast_mb=0), None)
    pin.set_pin(folder.keys, read_keys(folder.keys, None).slot_key, PIN)
    return folder


@pytest.fixture
def lock(folder: DataFolder) -> Lock:
    return Lock(folder)


@pytest.fixture
def client(lock: Lock, folder: DataFolder) -> FlaskClient:
    return locked.create_app(lock, Settings(folder.path)).test_client()


def form(client: FlaskClient, text: str) -> dict[str, str]:
    page = client.get("/").get_data(as_text=True)
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token
    return {"form_token": token[1], "pin": text}


def test_the_right_pin_opens_and_goes_on_to_the_login(client: FlaskClient, lock: Lock, folder: DataFolder) -> None:
    answer = client.post("/unlock", data=form(client, PIN))
    assert (answer.status_code, answer.location) == (303, "/")
    assert lock.opened.is_set()
    assert answer.headers["Connection"] == "close"


def test_a_wrong_pin_says_how_many_tries_are_left(client: FlaskClient, lock: Lock) -> None:
    answer = client.post("/unlock", data=form(client, "271828"))
    assert answer.status_code == 403
    assert "あと 9 回" in answer.get_data(as_text=True)
    assert not lock.opened.is_set()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://example.org"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
def test_a_page_of_elsewhere_spends_no_try(
    client: FlaskClient, lock: Lock, headers: dict[str, str], status: int
) -> None:
    assert client.post("/unlock", data=form(client, "271828"), headers=headers).status_code == status
    assert lock.tries_left == 10


@pytest.mark.parametrize("token", [None, "", "あ", "x" * 32])
def test_a_form_without_the_token_of_this_start_spends_no_try(
    client: FlaskClient, lock: Lock, token: str | None
) -> None:
    data = {"pin": PIN} if token is None else {"pin": PIN, "form_token": token}
    assert client.post("/unlock", data=data).status_code == 400
    assert lock.tries_left == 10 and not lock.opened.is_set()


def test_after_three_wrong_pins_the_next_waits_and_is_not_counted(
    client: FlaskClient, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert client.post("/unlock", data=form(client, "271828")).status_code == 403
    assert client.post("/unlock", data=form(client, PIN)).status_code == 429
    assert lock.tries_left == 7
    later = time.monotonic() + locked.PAUSE_S
    monkeypatch.setattr(locked.time, "monotonic", lambda: later)
    assert client.post("/unlock", data=form(client, PIN)).status_code == 303


@pytest.mark.parametrize("path", ["/healthz", "/", "/login", "/api/v1/incidents", "/map", "/sync-status"])
def test_nothing_of_the_store_is_told(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == (200 if path in ("/", "/healthz") else 302)
    assert answer.headers.get("Cache-Control") == "no-store" or answer.mimetype != "text/html"
    assert "script" not in answer.get_data(as_text=True)


def test_a_machine_learns_that_the_node_is_locked(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"ok": False, "state": "locked"}


def test_the_page_speaks_english_where_it_was_chosen(client: FlaskClient) -> None:
    client.set_cookie("tomoshibi_language", "en")
    page = client.get("/").get_data(as_text=True)
    assert "Restarted, still locked" in page
    assert not re.search(r"[ぁ-ん]", page)


def test_a_command_beside_a_locked_node_is_told_so(lock: Lock) -> None:
    with pytest.raises(KeyLocked, match="locked"):
        lock.perform("status", {})
    assert lock.perform("unlock", {"pin": PIN}) == {"running": True}
