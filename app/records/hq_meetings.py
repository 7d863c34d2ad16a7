"""Meetings of HQ (本部会議): the nth, when and where, who sat in it by role, what was on the table and what was told.

``meeting_no`` is given where the meeting is opened. Two nodes that number apart give one number twice: both keep it,
and pages show them as A and B until somebody gives one of them another (``queries/hq_meetings.py``).
"""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

MEETINGS_MAX = 999

KIND = Kind(
    "hq-meetings",
    fields={
        "meeting_no": Field("integer"),
        "held_at": Field("integer"),
        "ended_at": Field("integer"),
        "place": Field("text"),
        "attendees": Field("ids", "set"),
        "others": Field("text"),
        "agenda": Field("text"),
        "information": Field("text"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "meeting_no": shape.integer(1, MEETINGS_MAX),
        "held_at": shape.moment,
        "ended_at": shape.moment,
        "place": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "attendees": shape.each(shape.choice(catalog.table("meeting_roles").codes)),
        "others": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "agenda": shape.text(shape.TEXT_CHARS_MAX),
        "information": shape.text(shape.TEXT_CHARS_MAX),
    },
    needed=("meeting_no", "held_at"),
)
create, edit = NOUN.create, NOUN.edit
