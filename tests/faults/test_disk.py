"""The model of a disk after a power cut: what was synced is there, what was not may be there in part."""

from __future__ import annotations

import random
import struct

from tests.faults.disk import PAGE, SECTOR, Disk, Event, read_trace

OLD, NEW = b"o" * PAGE, b"n" * PAGE


def contents(events: list[Event], name: str, draws: int = 300) -> set[bytes | None]:
    disk = Disk()
    for event in events:
        disk.take(event)
    return {disk.after_a_cut(random.Random(seed)).get(name) for seed in range(draws)}


def written(data: bytes, offset: int = 0, inode: int = 1) -> Event:
    return Event("w", "/h/a", inode, offset, data)


SYNC, FOLDER_SYNC = Event("s", "/h/a", 1), Event("d", "/h")
KEPT = [written(OLD), SYNC, FOLDER_SYNC]


def test_what_was_synced_is_there_in_every_state() -> None:
    assert contents(KEPT, "a") == {OLD}


def test_a_page_that_was_not_synced_is_there_or_not_or_torn_between_sectors() -> None:
    found = contents([*KEPT, written(NEW)], "a")
    assert {OLD, NEW} < found
    for content in found - {OLD, NEW}:
        assert content is not None
        sectors = {content[at : at + SECTOR] for at in range(0, PAGE, SECTOR)}
        assert sectors <= {OLD[:SECTOR], NEW[:SECTOR]}, "sectors are never torn"


def test_pages_reach_the_disk_in_any_order() -> None:
    found = contents([*KEPT, written(NEW), written(NEW, PAGE)], "a")
    assert OLD + NEW in found and NEW in found and NEW + NEW in found


def test_a_file_may_grow_over_what_never_came() -> None:
    grown = [content for content in contents([*KEPT, written(NEW, 2 * PAGE)], "a") if content and len(content) > PAGE]
    holes = {content[PAGE : 2 * PAGE] for content in grown}
    assert bytes(PAGE) in holes and len(holes) > 1, "zeros, or what lay there before"


def test_a_truncation_that_was_not_synced_may_be_undone() -> None:
    assert contents([*KEPT, Event("t", "/h/a", 1, 0)], "a") == {OLD, b""}


def test_a_name_is_safe_only_with_its_folder() -> None:
    assert contents([written(OLD), SYNC], "a") == {None, OLD}
    renamed = Event("r", "/h/a", 1, 0, b"/h/b")
    assert contents([*KEPT, renamed], "b") == {None, OLD}
    assert contents([*KEPT, renamed, FOLDER_SYNC], "a") == {None}
    assert contents([*KEPT, Event("u", "/h/a", 1)], "a") == {None, OLD}


def test_an_inode_that_is_used_again_is_another_file() -> None:
    again = [*KEPT, Event("u", "/h/a", 1), FOLDER_SYNC, written(b"x"), SYNC, FOLDER_SYNC]
    assert contents(again, "a") == {b"x"}


def test_a_disk_that_lies_keeps_nothing_safe() -> None:
    disk = Disk(ignored_syncs="a")
    for event in KEPT:
        disk.take(event)
    assert b"" in {disk.after_a_cut(random.Random(seed))["a"] for seed in range(50)}


def test_a_trace_is_read_as_the_shim_writes_it() -> None:
    def record(what: bytes, name: bytes, inode: int, offset: int, data: bytes) -> bytes:
        return struct.pack("=c3xIQQQ", what, len(name), inode, offset, len(data)) + name + data

    written_, told = record(b"w", b"/h/a", 7, 4096, b"bytes"), record(b"a", b"told", 0, 0, b"")
    assert read_trace(written_ + told + record(b"t", b"/h/a", 7, 9, b"")) == [
        Event("w", "/h/a", 7, 4096, b"bytes"),
        Event("a", "told"),
        Event("t", "/h/a", 7, 9),
    ]
