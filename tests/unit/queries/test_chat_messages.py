from __future__ import annotations

from typing import Any

from app.queries import channels, chat_messages
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
    assert chat_messages.read_upto(db, ME) == {channel: 1, quiet: 1}
    assert chat_messages.seen_by(db, channel, 1) == [ME]
    assert chat_messages.seen_by(db, channel, 2) == []


def test_a_channel_with_members_is_left_out_for_others(db: Any, insert: Any) -> None:
    insert("channels", name="全体", created_at=1)
    closed = insert("channels", name="本部", members=[TEAM], created_at=2)
    seen = [found.id for found in channels.listed(db, INCIDENT) if channels.visible_to(found, Viewer(ME, TEAM))]
    assert len(seen) == 2
    where = channels.leave_out(db, Where(), "id", Viewer(ME))
    assert closed in where.values[0]
    assert channels.leave_out(db, Where(), "id", Viewer(ME, TEAM)) == Where()
