"""A commit becomes topics: what changed, never what it says."""

from __future__ import annotations

import uuid

from app.live import topics_of

INCIDENT = uuid.UUID("01a2050d-f542-7142-b351-c5415c5d6bb9")


def test_chat_rings_first_and_each_topic_once() -> None:
    scope = b"d" + INCIDENT.bytes
    changed = [("damage-reports", scope, "1"), ("chat-messages", scope, "2"), ("damage-reports", scope, "3")]
    assert topics_of(changed) == [f"chat-messages:{INCIDENT}", f"damage-reports:{INCIDENT}", "sync"]


def test_city_records_have_no_incident() -> None:
    assert topics_of([("shelters", b"c", "1")]) == ["shelters", "sync"]


def test_a_change_of_links_alone_is_told_to_the_badge() -> None:
    assert topics_of([]) == ["sync"]


def test_a_file_that_came_rings_one_bell_for_all_files() -> None:
    assert topics_of([("blobs", b"c", "ab" * 32), ("blobs", b"c", "cd" * 32)]) == ["blobs", "sync"]
