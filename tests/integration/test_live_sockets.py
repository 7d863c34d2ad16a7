"""The doorbells of pages: only who is logged in hears them, only as long, and nobody is listened to."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import socketio

from app.bench import stage
from tests.integration.cluster import Cluster, cluster, eventually

FLOOD_EVENTS = 10_000


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("live"), terminals=0) as built:
        stage.add_person(built.hub.home, "ベンチ", "commander")
        yield built


@pytest.fixture
def enter(city: Cluster) -> Iterator[Callable[[], tuple[stage.Browser, Any, list[Any]]]]:
    """Log in and listen: the browser's session, its socket, and what was rung."""
    opened: list[Any] = []

    def make() -> tuple[stage.Browser, Any, list[Any]]:
        browser = stage.log_in(city.hub.url, "ベンチ")
        rung: list[Any] = []
        client = socketio.Client(http_session=browser.session, reconnection=False)
        client.on("changed", rung.append, namespace="/live")
        client.connect(city.hub.url, namespaces=["/live"], transports=["websocket"], wait_timeout=10)
        opened.append(client)
        return browser, client, rung

    yield make
    for client in opened:
        if client.connected:
            client.disconnect()


def log_out(browser: stage.Browser) -> None:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/settings").text)
    assert token is not None
    answer = browser.session.post(f"{browser.url}/logout", data={"csrf_token": token[1]}, timeout=10)
    assert answer.ok, answer.text


def test_a_page_is_rung_until_its_session_ends(city: Cluster, enter: Callable[[], Any]) -> None:
    browser, client, rung = enter()
    _, other, rung_there = enter()
    city.report(city.hub, "鳴るはず")
    eventually(lambda: rung and rung_there, 5, "both pages hear of the report")
    log_out(browser)
    eventually(lambda: not client.connected, 5, "the socket ends with its session")
    assert other.connected
    before = len(rung)
    city.report(city.hub, "聞こえないはず")
    eventually(lambda: len(rung_there) > 1, 5, "the other page hears of it")
    assert len(rung) == before


def test_a_page_that_floods_the_node_is_sent_away_and_others_are_served(
    city: Cluster, enter: Callable[[], Any]
) -> None:
    _, flooding, _ = enter()
    _, other, rung = enter()

    def flood() -> None:
        for number in range(FLOOD_EVENTS):
            if not flooding.connected:
                return
            try:
                flooding.emit("changed", {"topics": [number]}, namespace="/live")
            except (socketio.exceptions.SocketIOError, OSError):
                return  # sent away in the middle of it

    sender = threading.Thread(target=flood)
    sender.start()
    assert requests.get(f"{city.hub.url}/healthz", timeout=5).status_code == 200
    sender.join(timeout=30)
    eventually(lambda: not flooding.connected, 10, "who floods is sent away")
    city.report(city.hub, "洪水のあと")
    eventually(lambda: rung, 5, "the other page is rung")
    assert other.connected


def test_without_a_session_nothing_is_heard(city: Cluster) -> None:
    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(city.hub.url, namespaces=["/live"], transports=["websocket"], wait_timeout=10)
