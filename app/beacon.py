"""What a locked node says to its hub: that it runs, and waits for somebody to unlock it. Nothing else can be said so.

Before: enrolment makes a key for this alone (a row of ``enrol_extras``), and ``Node`` keeps what the call needs beside
it in ``beacon.json``, in clear, for a locked node can open nothing: that key, the node's id, the hub's address and the
city's TLS authority. After: ``Beating`` calls, and ``locked_peers`` on the hub hears (docs/protocol-enrolment.md).
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.config import Settings
from app.errors import Invalid
from app.pki import leaf
from app.store import meta
from app.store.durable import write_durably
from app.store.folder import DataFolder
from app.tls import contexts
from app.tls.held import Held as TlsHeld
from sync.certificate import Certificate
from sync.signing import SigningKey

VERSION = 1
PATH = "/enrol/v1/locked"
EVERY_S, CALL_S_MAX = 30.0, 5.0
FILE_BYTES_MAX = 16_384
PUBLIC_BYTES = 32
_TAG = b"tomoshibi:locked:1\0"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """What lies in the file; bytes in hexadecimal. ``starts``: how often this node was locked."""

    node: str
    seed: str = field(repr=False)
    starts: int = 0
    hub_url: str = ""
    authority: str = ""

    @property
    def key(self) -> SigningKey:
        return SigningKey(bytes.fromhex(self.seed))


def message(node: bytes, start: int, number: int) -> bytes:
    """What is signed. ``start`` and ``number`` only ever grow: what was heard once is heard no second time."""
    return _TAG + node + start.to_bytes(8, "big") + number.to_bytes(8, "big")


def document(held: Held, number: int) -> dict[str, Any]:
    signature = held.key.sign(message(bytes.fromhex(held.node), held.starts, number))
    said = {"node": held.node, "start": held.starts, "number": number, "signature": signature.hex()}
    return {"version": VERSION, **said}


def read(path: Path) -> Held | None:
    """None where there is no such file, or none that can be used: then HQ hears nothing, and that is all."""
    try:
        with path.open("rb") as file:
            found = Held(**json.loads(file.read(FILE_BYTES_MAX))["held"])
        bytes.fromhex(found.node), bytes.fromhex(found.authority), found.starts.to_bytes(8, "big"), found.key
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return found


def keep(node: Any) -> None:
    """Write down whom to call, where that has changed. A full disk is no reason not to start."""
    path, url = node.folder.beacon, node.hub_url
    held = read(path)
    if held is None or url is None:
        return
    if held.node != node.node_id:  # a backup of another node was put back into this folder
        path.unlink()
        return
    now = replace(held, hub_url=url, authority=node.tls.held.authority.hex())
    if now != held:
        try:
            _write(path, now)
        except OSError as error:
            log.warning("%s cannot be written: %s", path.name, error.strerror)


def _write(path: Path, held: Held) -> None:
    write_durably(path, json.dumps({"version": VERSION, "held": asdict(held)}).encode() + b"\n")


# -- the row of enrol_extras --------------------------------------------------------------------


def ask(node: Any) -> bytes | None:
    """The public half; the same again where this node asks again."""
    held = read(node.folder.beacon)
    if held is None or held.node != node.node_id:
        held = Held(node.node_id, os.urandom(32).hex())
        _write(node.folder.beacon, held)
    return held.key.public


def answer(node: Any, certificate: Certificate, asked: bytes | None) -> None:
    """The issuer keeps the public half: with what it holds, nobody can beat in the device's place."""
    if asked is None:
        return
    if len(asked) != PUBLIC_BYTES:
        raise Invalid("wrong_length", "the beacon's key has another length", "Use the same release on both.", "extra")
    name = fact(certificate.node_id.hex())
    node.local_write(lambda connection: meta.write(connection, name, asked + bytes(8)))


def adopt(node: Any, root_public: bytes, answered: bytes) -> None:
    """There is nothing to adopt: the key is this node's own."""


def fact(node_id: str) -> str:
    """The name under which the hub's `meta` holds a device's key, and the newest start that it told."""
    return f"beacon:{node_id}"


# -- calling ------------------------------------------------------------------------------------


class Beating:
    """Calls the hub now and every half minute until it is stopped, in a thread of its own."""

    def __init__(self, folder: DataFolder, settings: Settings, chance: Callable[[], float] = random.random) -> None:
        self._path, self._settings, self._chance = folder.beacon, settings, chance
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="beacon", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def _beat(self) -> None:
        held, number = started(self._path), 0
        while held is not None:
            number += 1
            try:
                call(held, self._settings, document(held, number))
            except (OSError, ValueError, http.client.HTTPException) as error:
                log.debug("the hub does not hear that this node is locked: %s", error)
            # Two hundred tablets that were started at once must not call at once for ever.
            if self._stop.wait(EVERY_S * (0.75 + self._chance() / 2)):
                return


def started(path: Path) -> Held | None:
    """Count one more start, durably, before the first call: a replayed beat is of an older one."""
    held = read(path)
    if held is None or not held.hub_url:
        return None
    held = replace(held, starts=held.starts + 1)
    try:
        _write(path, held)
    except OSError as error:
        log.warning("%s cannot be written, HQ does not hear that this node is locked: %s", path.name, error.strerror)
        return None
    return held


def call(held: Held, settings: Settings, said: dict[str, Any]) -> None:
    """Say it once. Raises OSError where nobody is there, or who answers is not the hub."""
    url = settings.hub_url or held.hub_url
    target = urlsplit(url)
    secure = target.scheme == "https"
    host, port = target.hostname or "", target.port or (443 if secure else 80)
    connection = socket.create_connection((host, port), timeout=CALL_S_MAX)
    caller = http.client.HTTPConnection(host, port)
    try:
        caller.sock = connection = _proved(held, settings, connection, host) if secure else connection
        caller.request("POST", PATH, json.dumps(said), {"Content-Type": "application/json", "Connection": "close"})
        connection.recv(1)  # the answer says nothing; its first byte says that the request was read
    finally:
        connection.close()


def _proved(held: Held, settings: Settings, plain: socket.socket, host: str) -> socket.socket:
    """The hub at the other end, and nobody else: the city's authority is not secret, and lies beside the key."""
    if settings.hub_ca is not None:
        context, name = ssl.create_default_context(cafile=settings.hub_ca), host
    elif held.authority:
        context, name = contexts.calling(TlsHeld(authority=bytes.fromhex(held.authority)), bare=True), leaf.HUB_NAME
    else:
        raise OSError("the city's TLS authority is not known")
    return context.wrap_socket(plain, server_hostname=name)
