"""What must be installed, and what must never be."""

from __future__ import annotations

from importlib import metadata, util

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from sqlcipher3 import dbapi2

# Older engines can lose a commit when two connections write and checkpoint at once.
SQLITE_OLDEST = (3, 51, 3)


# What an older one would take away again, and why it stands here.
OLDEST = {
    "python-socketio": "5.16.2",  # a message of many binary parts without end
    "python-engineio": "4.13.2",
    "sqlcipher3": "0.6.4",  # the engine that keeps every commit
    "defusedxml": "0.7.1",
    "werkzeug": "3.1",  # multipart bodies of many parts
    "pillow": "11",
    "cryptography": "44",
    "argon2-cffi": "23.1",
}


@pytest.mark.parametrize(("distribution", "oldest"), OLDEST.items())
def test_nothing_is_older_than_what_the_promises_need(distribution: str, oldest: str) -> None:
    assert Version(metadata.version(distribution)) >= Version(oldest)


@pytest.mark.parametrize("distribution", [name for name in OLDEST if name != "werkzeug"])
def test_the_floor_is_told_to_whoever_installs_without_our_pins(distribution: str) -> None:
    asked = [Requirement(line) for line in metadata.requires("tomoshibi") or ()]
    (found,) = [one for one in asked if one.name == distribution and one.marker is None]
    assert not found.specifier.contains(_just_below(OLDEST[distribution]))


def _just_below(version: str) -> str:
    return f"{version}.dev0"


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
