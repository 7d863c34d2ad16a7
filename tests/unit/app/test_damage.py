"""A disk that fails for a moment: what met it is renewed, and nobody is left out for what another could not read."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from app.effects import Changed
from app.node import Node
from app.store.engine import Connection
from sync.errors import StoreFailed
from sync.operation import CITY, Change


def failing(connection: Connection) -> None:
    raise sqlite3.DatabaseError("disk I/O error")


def save(node: Node, name: str) -> None:
    node.write([Change("teams", name.encode().ljust(16), CITY, {"name": name})], None)


def test_an_effect_that_fails_keeps_the_next_commit_from_nobody(hub: Node, caplog: pytest.LogCaptureFixture) -> None:
    """The thread of the effects once ended at the first page that it could not read, and no page moved any more."""
    told, came = [], threading.Event()

    def unreadable(changed: Changed) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    def listening(changed: Changed) -> None:
        told.append(changed)
        came.set()

    hub.subscribe(unreadable)
    hub.subscribe(listening)
    for number in range(3):
        came.clear()
        save(hub, f"team {number}")
        assert came.wait(5), f"commit {number} was told"
    assert len(told) >= 3 and "malformed" in caplog.text


def test_a_connection_that_met_a_failing_disk_is_not_used_again(hub: Node) -> None:
    before = hub.replica.connection
    with pytest.raises(StoreFailed):
        hub.local_write(failing)
    assert hub.replica.connection is not before
    save(hub, "afterwards")
    assert hub.reader().execute("SELECT count(*) FROM teams").fetchone()[0] == 1
