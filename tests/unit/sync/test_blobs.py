"""The store of files beside the log: whole or not there, verified, resumable, durable when it says so."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sync import limits
from sync.blobs import CREATE, Blobs, Connection, Held
from sync.errors import BlobMissing, StoreFailed, StoreFull
from tests.unit.sync.nodes import connect, ident

CHUNK = limits.CHUNK_BYTES_MAX
SIZES = (0, 1, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17)
HUB, OTHER = ident("hub"), ident("other")
Open = Callable[..., Blobs]


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def name_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def pieces(data: bytes, size: int = CHUNK) -> Iterator[tuple[int, bytes]]:
    for at in range(0, max(len(data), 1), size):
        yield at, data[at : at + size]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Open the store of a folder, again as after a kill where it was open already: nothing is closed in order."""
    connections: list[Any] = []

    def make(**options: Any) -> Blobs:
        path = str(tmp_path / "blobs.db")
        for _ in range(2):
            connections.append(connect(path))
            connections[-1].execute("PRAGMA foreign_keys = ON")
            connections[-1].execute("PRAGMA journal_mode = WAL")
        writes, reads = connections[-2:]
        for statement in CREATE:
            writes.execute(statement)
        wrapped: Connection = options.pop("wrap", lambda connection: connection)(writes)
        return Blobs(wrapped, lambda: reads, node=OTHER, now=lambda: 1, hub=lambda: HUB, **options)

    yield make
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_is_read_again_also_after_a_kill(opened: Open, size: int) -> None:
    data = noise(size)
    sha256 = opened().put(data, "image/jpeg")
    blobs = opened()
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert blobs.has(sha256) and blobs.size(sha256) == size and blobs.media_type(sha256) == "image/jpeg"
    assert blobs.read(sha256) == data


def test_the_same_file_twice_is_kept_once(opened: Open, tmp_path: Path) -> None:
    blobs, told = opened(), []
    blobs.on_whole = told.append
    (tmp_path / "file").write_bytes(data := noise(5 * 1024 * 1024))
    sha256 = blobs.put_file(tmp_path / "file", "application/vnd.pmtiles")
    assert blobs.put(data, "image/png") == sha256 and blobs.count() == 1
    assert blobs.media_type(sha256) == "application/vnd.pmtiles" and told == [bytes.fromhex(sha256)]
    assert blobs.read(sha256) == data


def test_a_range_is_read_without_the_rest(opened: Open) -> None:
    blobs, data = opened(), noise(3 * CHUNK + 17)
    sha256 = blobs.put(data, "x/y")
    chance = random.Random(2)
    for _ in range(200):
        start, length = chance.randrange(len(data) + 9), chance.randrange(2 * CHUNK)
        assert blobs.read(sha256, start, length) == data[start : start + length]
    assert blobs.read(sha256, -1, 5) == b"" and blobs.read(sha256, 5, -1) == b""


def test_what_is_not_here_is_not_read(opened: Open) -> None:
    blobs = opened()
    for sha256 in ("ab" * 32, "no hex", ""):
        assert not blobs.has(sha256) and blobs.size(sha256) is None and blobs.media_type(sha256) is None
        with pytest.raises(BlobMissing):
            blobs.read(sha256)


@pytest.mark.parametrize("size", [1, 5000, 3 * CHUNK + 17])
def test_a_file_of_another_node_is_whole_when_its_last_chunk_came(opened: Open, size: int) -> None:
    data, told = noise(size), []
    name = name_of(data)
    for at, part in pieces(data, 4096):  # killed after every chunk
        blobs = opened()
        blobs.on_whole = told.append
        assert not blobs.has(name.hex()) and blobs.held(name).have == at
        held = blobs.keep(name, at, size, part, "image/jpeg")
        assert held is not None and held.have == at + len(part)
    assert blobs.read(name.hex()) == data and told == [name]
    assert blobs.media_type(name.hex()) == "image/jpeg"


def test_a_wrong_hash_throws_all_of_it_away(opened: Open) -> None:
    blobs, data = opened(), noise(CHUNK + 5)
    name = name_of(data)
    assert blobs.keep(name, 0, len(data), data[:CHUNK], None) == Held(CHUNK, len(data), False)
    assert blobs.keep(name, CHUNK, len(data), b"wrong", None) is None
    assert blobs.held(name) == Held(0, None, False)
    for at, part in pieces(data):
        blobs.keep(name, at, len(data), part, None)
    assert blobs.read(name.hex()) == data


def test_what_does_not_follow_changes_nothing(opened: Open) -> None:
    blobs, data = opened(), noise(CHUNK + 5)
    name = name_of(data)
    kept = blobs.keep(name, 0, len(data), data[:100], None)
    for start, total, part in ((0, len(data), b"x"), (200, len(data), b"x"), (100, 7, b"x"), (100, 120, b"x" * 30)):
        assert blobs.keep(name, start, total, part, None) == kept
    blobs.keep(name, 100, len(data), data[100:], None)
    assert blobs.read(name.hex()) == data
    assert blobs.keep(name, 0, 1, b"x", None) == Held(len(data), len(data), True), "a whole file is not touched"


def test_a_file_that_is_put_takes_the_place_of_its_part(opened: Open) -> None:
    blobs, data = opened(), noise(CHUNK + 5)
    blobs.keep(name_of(data), 0, len(data), data[:100], None)
    assert blobs.read(blobs.put(data, "x/y")) == data
    blobs.drop_partial(name_of(data))
    assert blobs.has(name_of(data).hex()), "only a part is dropped"


class FullDisk:
    """A disk that has no room from the n-th chunk on, until room is made."""

    def __init__(self, connection: Any, after: int) -> None:
        self.connection, self.after = connection, after

    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql.startswith("INSERT INTO chunk"):
            self.after -= 1
            if self.after < 0:
                raise OSError(28, "No space left on device")
        return self.connection.execute(sql, *parameters)


def test_a_full_disk_is_said_and_leaves_nothing(opened: Open) -> None:
    blobs = opened(wrap=lambda connection: FullDisk(connection, 70))
    small = blobs.put(b"small", "x/y")
    with pytest.raises(StoreFull):
        blobs.put(noise(80 * CHUNK), "x/y")  # the first transaction of it was committed
    again = opened()
    assert again.count() == 1 and again.read(small) == b"small"
    assert again._reader().execute("SELECT count(*) FROM chunk").fetchone()[0] == 1


def test_room_that_can_be_made_is_made(opened: Open) -> None:
    disks: list[FullDisk] = []

    def wrap(connection: Any) -> Any:
        disks.append(FullDisk(connection, 3))
        return disks[-1]

    def make_room() -> bool:
        disks[0].after = 1000
        return True

    blobs, data = opened(wrap=wrap, before_retry=make_room), noise(10 * CHUNK)
    assert blobs.read(blobs.put(data, "x/y")) == data


def test_a_store_that_cannot_be_used_says_so_and_hides_nothing_else() -> None:
    def no_reader() -> Any:
        raise AssertionError("nothing is read")

    blobs = Blobs(None, no_reader, node=OTHER, now=lambda: 1, fault="it is damaged")
    assert not blobs.has("ab" * 32) and blobs.state("ab" * 32).have == 0
    with pytest.raises(StoreFailed, match="it is damaged"):
        blobs.put(b"x", "x/y")


def test_who_holds_it_is_kept(opened: Open) -> None:
    blobs, told = opened(), []
    blobs.on_holder = told.append
    sha256 = blobs.put(b"photo", "image/jpeg")
    name = bytes.fromhex(sha256)
    assert not blobs.state(sha256).at_hub and blobs.made_here(unknown_to=HUB) == [name]
    blobs.note_holders(HUB, [name])
    blobs.note_holders(HUB, [name])
    assert told == [name], "told once"
    blobs = opened()
    state = blobs.state(sha256)
    assert state.at_hub and state.holders == (HUB.hex(),) and state.here and state.size == 5
    assert blobs.made_here(unknown_to=HUB) == []
    blobs.forget_holder(HUB, [name])
    assert not blobs.state(sha256).at_hub


def test_what_was_deleted_is_gone_with_its_chunks(opened: Open) -> None:
    blobs = opened()
    sha256 = blobs.put(noise(3 * CHUNK), "x/y")
    blobs.delete(sha256)
    blobs.delete(sha256)
    assert not blobs.has(sha256)
    assert blobs._reader().execute("SELECT count(*) FROM chunk").fetchone()[0] == 0
