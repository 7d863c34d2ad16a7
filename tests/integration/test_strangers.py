"""Clients that are not of the city, on a raw WebSocket: they get a refusal, the hub keeps working, nothing changes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import msgspec
import pytest
import websocket

from sync import protocol, signing
from sync.certificate import Certificate
from sync.oplog import Segment
from sync.protocol import Ack, Hello, Need, Proof, Run, VectorFrame
from sync.signing import SigningKey
from tests.integration.cluster import Cluster, NodeProcess, cluster, http

PLACE = b"d" + bytes(16) + b"w"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("strangers"), terminals=1) as built:
        built.report(built.hub, "本部の報告")
        built.await_equal(10)
        yield built


ENDS_S = 10.0  # within which the hub has hung up


class Stranger:
    """Engine.IO and Socket.IO by hand: packets `4` (message), `40` connect, `42` event, `451-` binary event."""

    def __init__(self, node: NodeProcess, namespace: str = "/sync") -> None:
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{node.port}/socket.io/?EIO=4&transport=websocket", timeout=5, http_no_proxy=["127.0.0.1"]
        )
        assert self.socket.recv().startswith("0{")
        self.socket.send(f"40{namespace}," if namespace != "/" else "40")
        self.answer = self.socket.recv()

    def send_frame(self, data: bytes) -> None:
        self.socket.send('451-/sync,["f",{"_placeholder":true,"num":0}]')
        self.socket.send_binary(data)

    def frames(self, limit_s: float = 1.0) -> tuple[list[bytes], bool]:
        """The binary frames that came, and whether the hub ended the conversation."""
        self.socket.settimeout(limit_s)
        found: list[bytes] = []
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            while True:
                try:
                    message = self.socket.recv()
                except (websocket.WebSocketConnectionClosedException, OSError):
                    return found, True
                if isinstance(message, bytes) and message:
                    found.append(message)
                elif message == "" or str(message).startswith("41/sync"):
                    return found, True
        return found, False

    def close(self) -> None:
        raw = self.socket.sock
        self.socket.shutdown()
        if raw is not None:
            raw.close()


@pytest.fixture
def stranger(city: Cluster) -> Iterator[Stranger]:
    made = Stranger(city.hub)
    assert made.answer.startswith("40/sync")
    yield made
    made.close()


def unchanged(city: Cluster, before: dict[str, object]) -> None:
    after = city.hub.status()
    assert {name: after[name] for name in ("vector", "digest", "quarantined")} == {
        name: before[name] for name in ("vector", "digest", "quarantined")
    }


def a_foreign_certificate() -> tuple[SigningKey, Certificate]:
    root, key = SigningKey.generate(), SigningKey.generate()
    held = Certificate.make(
        root, None, root=signing.root_fingerprint(root.public), public=key.public, sealing=bytes(32), name="偽の本部",
        label="H1", capabilities=frozenset({"field", "command", "hub", "enrol"}), issued_ms=1, serial=bytes(16),
    )  # fmt: skip
    return key, held


def hello_of(certificate: bytes) -> bytes:
    return protocol.encode(Hello(protocol.VERSION, certificate, os.urandom(16), 0, 1))


def test_polling_is_not_a_door(city: Cluster) -> None:
    answer = http().get(f"{city.hub.url}/socket.io/?EIO=4&transport=polling", timeout=5)
    assert answer.status_code == 400


@pytest.mark.parametrize("namespace", ["/", "/live", "/admin", "/../sync"])
def test_no_other_namespace_opens_without_a_login(city: Cluster, namespace: str) -> None:
    made = Stranger(city.hub, namespace)
    assert made.answer.startswith("44"), made.answer
    made.close()


@pytest.mark.parametrize("event", ["vector", "changed", "connect", "message", "F", "", "__class__"])
def test_an_event_that_is_not_a_frame_is_not_answered(city: Cluster, stranger: Stranger, event: str) -> None:
    before = city.hub.status()
    stranger.socket.send(f'42/sync,["{event}",{{"a":1}}]')
    frames, _ = stranger.frames(0.3)
    assert frames == []
    unchanged(city, before)


FRAMES_BEFORE_HELLO = {
    "vector": protocol.encode(VectorFrame(None, {bytes(16) + PLACE: 1})),
    "digest": protocol.encode(VectorFrame(bytes(8), None)),
    "run": protocol.encode(Run(1, (Segment(bytes(16) + PLACE, 1, bytes(64), (b"x",)),))),
    "ack": protocol.encode(Ack(1, ())),
    "need": protocol.encode(Need(((bytes(16) + PLACE, 1),))),
    "proof": protocol.encode(Proof(bytes(64), 0, 0)),
    "nothing": b"",
    "junk": os.urandom(500),
    "unknown type": msgspec.msgpack.encode([99, "x"]),
    "not a list": msgspec.msgpack.encode({"type": 1}),
    "deep": b"\x91" * 100_000,
    "bomb": msgspec.msgpack.encode([4, 1, b"\x28\xb5\x2f\xfd" + bytes(100)]),
    "a million zeros": bytes(1_000_000),
    "another protocol": msgspec.msgpack.encode([1, 999, b"", bytes(16), 0, 1]),
    "a short certificate": hello_of(b"\x90"),
}


@pytest.mark.parametrize("name", FRAMES_BEFORE_HELLO)
def test_a_frame_that_does_not_belong_is_refused_and_the_link_closed(
    city: Cluster, stranger: Stranger, name: str
) -> None:
    before = city.hub.status()
    stranger.send_frame(FRAMES_BEFORE_HELLO[name])
    frames, ended = stranger.frames(ENDS_S)
    assert [msgspec.msgpack.decode(frame)[0] for frame in frames] in ([protocol.REFUSE], []), "nothing but a refusal"
    assert ended, "the hub hung up"
    unchanged(city, before)
    assert city.hub.answers()


def test_a_certificate_of_another_city_gets_a_refusal_and_no_hello(city: Cluster, stranger: Stranger) -> None:
    _, held = a_foreign_certificate()
    stranger.send_frame(hello_of(held.encode()))
    frames, ended = stranger.frames(ENDS_S)
    assert [msgspec.msgpack.decode(frame)[:2] for frame in frames] == [[protocol.REFUSE, "bad_certificate"]]
    assert ended


def test_a_copied_certificate_without_its_key_gets_no_operation(city: Cluster, stranger: Stranger) -> None:
    """A certificate is public: it stands in every stream. Who only copied it cannot sign the hello."""
    held = _certificate_seen_on_the_wire(city)
    stranger.send_frame(hello_of(held))
    stranger.send_frame(protocol.encode(Proof(os.urandom(64), 0, 0)))
    stranger.send_frame(protocol.encode(VectorFrame(None, {})))
    frames, ended = stranger.frames(ENDS_S)
    types = [msgspec.msgpack.decode(frame)[0] for frame in frames]
    assert types == [protocol.HELLO, protocol.PROOF, protocol.REFUSE]
    assert ended


def _certificate_seen_on_the_wire(city: Cluster) -> bytes:
    from app.store import engine, meta
    from app.store.folder import DataFolder
    from app.store.keys import read_keys

    folder = DataFolder(city.terminals[0].home)
    connection = engine.open_connection(folder.database, read_keys(folder.keys, None).data_key, readonly=True)
    try:
        found = meta.read(connection, "certificate")
    finally:
        connection.close()
    assert found is not None
    return found


def test_a_frame_above_the_limit_ends_that_link_only(city: Cluster, stranger: Stranger) -> None:
    before = city.hub.status()
    with contextlib.suppress(OSError, websocket.WebSocketException):
        stranger.send_frame(bytes(5_000_000))
    _, ended = stranger.frames(ENDS_S)
    assert ended
    unchanged(city, before)
    assert city.terminals[0].status()["hub"]["state"] == "connected", "the others notice nothing"


def test_a_hundred_strangers_do_not_stop_the_city(city: Cluster) -> None:
    crowd = [Stranger(city.hub) for _ in range(100)]
    report = city.report(city.terminals[0], "見知らぬ100本の接続のなか")
    city.await_equal(10)
    assert city.hub.get(f"damage-reports/{report['id']}")["summary"] == report["summary"]
    for one in crowd:
        one.close()
