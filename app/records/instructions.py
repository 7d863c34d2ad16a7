"""Response instructions (対応指示): what is to be done, by whom, until when, and how urgent it is.

A recipient is a node, a person or a team. An instruction that is withdrawn stays, with when and why: ``withdrawn_at``.
"""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "instructions",
    lane="talk",
    fields={
        "text": Field("text"),
        "priority": Field("text", "danger", catalog.danger_order("priority")),
        "recipients": Field("ids", "set"),
        "damage_report_id": Field("id"),
        "chat_message_id": Field("id"),  # the message that it was made from
        "decision_id": Field("id"),  # the decision of a meeting of HQ that it carries out
        "due_at": Field("integer"),
        "withdrawn_at": Field("integer"),
        "withdrawn_reason": Field("text"),
        "number": Field("text", "once"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "text": shape.text(shape.TEXT_CHARS_MAX),
        "priority": shape.choice(catalog.table("priorities").codes),
        "recipients": shape.each(shape.an_id),
        "damage_report_id": shape.an_id,
        "chat_message_id": shape.an_id,
        "decision_id": shape.an_id,
        "due_at": shape.moment,
        "withdrawn_at": shape.moment,
        "withdrawn_reason": shape.text(shape.LINE_CHARS_MAX),
    },
    needed=("text", "recipients"),
    given=("number",),
    numbered="number",
)
create, edit = NOUN.create, NOUN.edit
