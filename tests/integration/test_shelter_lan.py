"""A hub on the network: tablets and browsers come in with a certificate of the city, over TLS, and nobody else does."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio
import websocket

from app.bench import stage
from tests.integration.cluster import NodeProcess, add_person, eventually, http, report_document
from tests.integration.lan import LanHub, stranger
from tests.integration.pictures import photo

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
HALF_OPEN = 60


class City:
    """A hub beyond loopback, a tablet, a browser at HQ."""

    def __init__(self, folder: Path) -> None:
        self.hub = LanHub("hub", folder / "hub")
        self.tablet = NodeProcess("tablet", folder / "tablet")
        self.incident = ""
        self.certificate: dict[str, Any] = {}

    def build(self) -> None:
        hub, tablet = self.hub, self.tablet
        hub.command("init", "--role", "hub", "--name", "災害対策本部", "--json")
        tablet.command("init", "--role", "terminal", "--name", "第一小", "--json")
        hub.start()
        self.certificate = hub.issue("HQ-1")
        hub.browser = hub.session_with(self.certificate["folder"])
        tablet.start()
        tablet.command("enrol", "--hub", hub.url, "--code", hub.json("enrol-code")["code"])
        add_person(hub, "本部", "commander")
        stage.add_person(hub.home, "ベンチ", "shelter_staff")  # HQ would be asked for a second factor
        add_person(tablet, "避難所", "shelter_staff")
        self.incident = hub.post("incidents", {"name": "訓練の台風", "mode": "drill", "kind": "typhoon"})["id"]

    def close(self) -> None:
        for node in (self.tablet, self.hub):
            node.stop()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    made = City(tmp_path_factory.mktemp("lan"))
    try:
        made.build()
        yield made
    finally:
        made.close()


def upload(session: requests.Session, node: NodeProcess, data: bytes) -> str:
    answer = session.post(
        f"{node.url}/api/v1/attachments",
        files={"file": ("photo.jpg", data, "image/jpeg")},
        headers={"Authorization": f"Bearer {node.token}"},
        timeout=60,
    )
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["sha256"])


def test_a_tablet_that_was_let_in_over_the_network_sends_its_report_and_its_photo(city: City) -> None:
    hub, tablet = city.hub, city.tablet
    eventually(lambda: tablet.status()["hub"]["state"] == "connected", 10, f"the tablet is connected {tablet.log()}")
    eventually(lambda: tablet.call("GET", f"incidents/{city.incident}").status_code == 200, 10, "the incident came")
    sha256 = upload(http(), tablet, photo(1, 300, 200))
    written = tablet.post("damage-reports", report_document(city.incident, "門が開かない") | {"attachments": [sha256]})
    eventually(lambda: hub.call("GET", f"damage-reports/{written['id']}").status_code == 200, 10, "the report came")
    eventually(lambda: hub.call("GET", f"attachments/{sha256}").status_code == 200, 10, "the photo came")
    eventually(lambda: tablet.status()["unsent"] == 0, 10, "the receipts came")
    assert hub.status()["digest"] == tablet.status()["digest"]


def test_who_has_no_certificate_is_told_so_and_gets_nothing_else(city: City) -> None:
    session = stranger()
    for path in ("/", "/login", "/incidents", "/no-such-page"):
        answer = session.get(city.hub.url + path, timeout=10)
        assert answer.status_code == 403 and "市の証明書が入っていません" in answer.text
        assert "災害対策本部" not in answer.text and "set-cookie" not in answer.headers
    bearer = {"Authorization": f"Bearer {city.hub.token}"}
    answer = session.get(f"{city.hub.url}/api/v1/status", headers=bearer, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate_needed")
    assert session.get(f"{city.hub.url}/healthz", timeout=10).status_code == 200


@pytest.mark.parametrize("namespace", ["/sync", "/live"])
def test_a_socket_without_a_certificate_is_never_opened(city: City, namespace: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(
            f"wss://127.0.0.1:{city.hub.port}/socket.io/?EIO=4&transport=websocket",
            sslopt={"cert_reqs": ssl.CERT_NONE}, timeout=5, http_no_proxy=["127.0.0.1"],
        )  # fmt: skip
    assert caught.value.status_code == 403, namespace


def test_a_browser_with_its_certificate_logs_in_and_is_rung(city: City) -> None:
    hub = city.hub
    browser = stage.log_in(hub.url, "ベンチ", hub.session_with(city.certificate["folder"]))
    assert browser.session.cookies and all(cookie.secure for cookie in browser.session.cookies)
    rung: list[Any] = []
    client = socketio.Client(http_session=browser.session, reconnection=False)
    client.on("changed", rung.append, namespace="/live")
    client.connect(hub.url, namespaces=["/live"], transports=["websocket"], wait_timeout=10)
    try:
        hub.post("damage-reports", report_document(city.incident, "鳴るはず"))
        eventually(lambda: rung, 5, "the page hears of the report")
    finally:
        client.disconnect()


def test_a_browsers_certificate_opens_no_link(city: City) -> None:
    client = socketio.Client(http_session=city.hub.session_with(city.certificate["folder"]), reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(city.hub.url, namespaces=["/sync"], transports=["websocket"])
    client.disconnect()


def test_only_tls_1_3_is_spoken(city: City) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", city.hub.port), timeout=5) as plain, pytest.raises(OSError):
        context.wrap_socket(plain).close()


def test_who_begins_handshakes_and_never_ends_them_holds_nobody_up(city: City) -> None:
    with contextlib.ExitStack() as half_open:
        for number in range(HALF_OPEN):
            line = half_open.enter_context(socket.create_connection(("127.0.0.1", city.hub.port), timeout=20))
            line.sendall(b"\x16\x03\x01" if number % 2 else b"GET / HTTP/1.1\r\n\r\n"[: number % 7])
        assert stranger().get(f"{city.hub.url}/healthz", timeout=5).status_code == 200
        assert city.hub.status()["role"] == "hub"
    assert "Traceback" not in city.hub.log()


def test_a_browser_that_is_withdrawn_is_out_at_its_next_request(city: City) -> None:
    lost = city.hub.issue("HQ-lost")
    session = city.hub.session_with(lost["folder"])
    assert session.get(f"{city.hub.url}/login", timeout=10).status_code == 200
    city.hub.json("pki", "withdraw", lost["serial"])
    answer = session.get(f"{city.hub.url}/login", timeout=10)
    assert answer.status_code == 403 and "使用を止めました" in answer.text


def test_what_the_hub_gave_is_listed_with_its_end(city: City) -> None:
    shown = city.hub.json("pki", "show")
    kinds = {(given["kind"], given["name"]) for given in shown["given"]}
    assert {("node", "T01"), ("browser", "HQ-1")} <= kinds
    assert city.tablet.json("pki", "show")["authority"] == shown["authority"]
    assert not city.tablet.json("pki", "show")["issues"]


def test_both_renew_their_leaf_while_they_run_and_go_on(city: City) -> None:
    hub, tablet = city.hub, city.tablet
    before = {node.name: node.json("pki", "show")["leaf"]["serial"] for node in (hub, tablet)}
    assert hub.json("pki", "renew")["leaf"]["serial"] != before["hub"]
    assert tablet.json("pki", "renew")["leaf"]["serial"] != before["tablet"]
    hub.kill()
    hub.start()
    eventually(lambda: tablet.status()["hub"]["state"] == "connected", 15, "the tablet comes back with its new leaf")


def test_a_revoked_tablet_is_out_at_once_and_is_told_so(city: City) -> None:
    city.hub.command("revoke", "T01", "--reason", "紛失")
    eventually(
        lambda: city.tablet.status()["hub"]["code"] in ("revoked", "certificate_revoked"),
        10, f"the tablet hears of it: {city.tablet.status()['hub']}",
    )  # fmt: skip
