from __future__ import annotations

from typing import Any

import msgspec

from app.queries import channels, chat_messages, talk
from app.queries.channels import Viewer
from app.queries.row import Where

INCIDENT = "01920000-0000-7000-8000-000000000001"
ME, OTHER, TEAM = ("00000000-0000-7000-8000-00000000000" + last for last in "123")


def message(insert: Any, channel: str, key: int, author: str = OTHER) -> None:
    insert("chat-messages", channel_id=channel, text=f"m{key}", order_key=key, author=author, seq=key)


def test_a_page_is_the_newest_messages_in_the_order_of_the_ledger(db: Any, insert: Any) -> None:
    channel = insert("channels", name="全体")
    for key in (3, 1, 2, 4):
        message(insert, channel, key)
    assert [found["text"] for found in chat_messages.latest(db, channel, limit=3)] == ["m2", "m3", "m4"]
    assert [found["text"] for found in chat_messages.latest(db, channel, before=3)] == ["m1", "m2"]
    assert [found["text"] for found in chat_messages.after(db, channel, 2)] == ["m3", "m4"]


def test_unread_counts_what_others_wrote_after_the_mark(db: Any, insert: Any) -> None:
    channel, quiet = insert("channels", name="全体"), insert("channels", name="静か")
    for key in (1, 2, 3, 4):
        message(insert, channel, key, author=ME if key == 4 else OTHER)
    message(insert, quiet, 1)
    insert("channel-reads", channel_id=channel, user_id=ME, upto=1)
    insert("channel-reads", channel_id=quiet, user_id=ME, upto=1)
    assert chat_messages.unread(db, INCIDENT, ME) == {channel: 2}


def test_a_message_that_comes_late_is_unread_although_others_above_it_were_read(db: Any, insert: Any) -> None:
    channel, here, tablet = insert("channels", name="全体"), b"h" * 16, b"t" * 16
    insert("chat-messages", channel_id=channel, text="本部", order_key=9, author=OTHER, origin=here, seq=4)
    seen = msgspec.msgpack.encode([[here[:8], 4]])
    insert("channel-reads", channel_id=channel, user_id=ME, upto=9, seen=seen)
    assert chat_messages.unread(db, INCIDENT, ME) == {}
    insert("chat-messages", channel_id=channel, text="遅れて", order_key=5, author=OTHER, origin=tablet, seq=2)
    assert chat_messages.unread(db, INCIDENT, ME) == {channel: 1}
    late, read = talk.message_lines(db, channel)
    assert (late.message["text"], late.seen_by) == ("遅れて", frozenset())
    assert read.seen_by == {ME}
    both = msgspec.msgpack.encode([[here[:8], 4], [tablet[:8], 2]])
    insert("channel-reads", channel_id=channel, user_id=ME, upto=9, seen=both)
    assert chat_messages.unread(db, INCIDENT, ME) == {}


def test_many_writers_and_channels_are_counted_together(db: Any, insert: Any) -> None:
    first, second = insert("channels", name="全体"), insert("channels", name="班")
    for number in range(12):
        channel, origin = (first, second)[number % 2], bytes([number % 3]) * 16
        insert("chat-messages", channel_id=channel, text="x", order_key=number, author=OTHER, origin=origin, seq=number)
    mark = msgspec.msgpack.encode([[b"\0" * 8, 6], [b"\1" * 8, 4]])
    insert("channel-reads", channel_id=first, user_id=ME, upto=11, seen=mark)
    assert chat_messages.unread(db, INCIDENT, ME) == {first: 4 - 1, second: 6}


def test_a_channel_with_members_is_left_out_for_others(db: Any, insert: Any) -> None:
    insert("channels", name="全体", created_at=1)
    closed = insert("channels", name="本部", members=[TEAM], created_at=2)
    seen = [found.id for found in channels.listed(db, INCIDENT) if channels.visible_to(found, Viewer(ME, TEAM))]
    assert len(seen) == 2
    where = channels.leave_out(db, Where(), "id", Viewer(ME))
    assert closed in where.values[0]
    assert channels.leave_out(db, Where(), "id", Viewer(ME, TEAM)) == Where()
