"""At most one mark in five seconds of a person in a channel; the newest is never lost."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from app.read_marks import ReadMarks
from app.records import channel_reads, scope_of

INCIDENT = "01920000-0000-7000-8000-000000000001"
SCOPE = scope_of("drill", INCIDENT)
ME, OTHER, CHANNEL = ("00000000-0000-7000-8000-00000000000" + last for last in "123")


def mark(user: str, upto: int) -> Any:
    return channel_reads.mark(SCOPE, CHANNEL, user, upto, "ab" * 16, {b"o" * 16: upto})


def test_a_second_mark_waits_and_only_the_newest_is_written() -> None:
    written: list[tuple[int, str]] = []
    second = threading.Event()

    def write(changes: Any, author: str) -> None:
        written.append((changes[0].fields["upto"], author))
        if len(written) == 3:
            second.set()

    marks = ReadMarks(SimpleNamespace(write=write), apart_s=2.0)  # type: ignore[arg-type]
    assert marks.say(ME, mark(ME, 1))
    assert not marks.say(ME, mark(ME, 2)) and not marks.say(ME, mark(ME, 3))
    assert marks.say(OTHER, mark(OTHER, 2))
    assert second.wait(10)
    assert written == [(1, ME), (2, OTHER), (3, ME)]


def test_each_node_of_a_person_has_a_mark_of_its_own() -> None:
    ids = {channel_reads.record_of(CHANNEL, ME, node) for node in ("", "ab" * 16, "cd" * 16)}
    assert len(ids) == 3
