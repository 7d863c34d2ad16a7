"""Messages of the chat: a ledger, never changed."""

from __future__ import annotations

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "chat-messages",
    entry=True,
    lane="talk",
    fields={
        "channel_id": Field("id"),
        "text": Field("text"),
        "attachments": Field("json"),
        "reply_to": Field("id"),
        "location": Field("point"),
        "accuracy_m": Field("real"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "channel_id": shape.an_id,
        "text": shape.text(shape.TEXT_CHARS_MAX),
        "attachments": shape.each(shape.sha256),
        "reply_to": shape.an_id,
        "location": shape.point,
        "accuracy_m": shape.real(0, 100_000),
    },
    needed=("channel_id", "text"),
)
create, edit = NOUN.create, NOUN.edit
