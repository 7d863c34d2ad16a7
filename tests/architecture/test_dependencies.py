"""What must be installed, and what must never be."""

from __future__ import annotations

from importlib import metadata, util

import pytest
from sqlcipher3 import dbapi2

# Older engines can lose a commit when two connections write and checkpoint at once.
SQLITE_OLDEST = (3, 51, 3)


@pytest.mark.parametrize(
    "distribution",
    [
        # Its mere presence makes engineio choose another server, which refuses our handshakes.
        "gevent-websocket",
        # The same module name as sqlcipher3, with an older engine.
        "sqlcipher3-wheels",
        "sqlcipher3-binary",
    ],
)
def test_a_package_that_would_change_the_node_silently_is_absent(distribution: str) -> None:
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.distribution(distribution)


def test_the_module_of_gevent_websocket_cannot_be_imported() -> None:
    assert util.find_spec("geventwebsocket") is None


def test_the_encrypted_engine_is_new_enough_to_keep_every_commit() -> None:
    engine = tuple(int(part) for part in dbapi2.sqlite_version.split("."))
    assert engine >= SQLITE_OLDEST


def test_the_engine_really_encrypts() -> None:
    connection = dbapi2.connect(":memory:")
    try:
        row = connection.execute("PRAGMA cipher_version").fetchone()
    finally:
        connection.close()
    assert row is not None and row[0].startswith("4.")
