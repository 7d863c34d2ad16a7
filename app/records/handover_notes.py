"""Notes at a change of shift (引継ぎ): what is open when somebody goes, in words and by itself, and who took over.

The lists are filled by the node when the note is written (``queries/handover_notes``): what stood open then, also for
whoever reads it a week later. Taken over twice, apart, the first one stands.
"""

from __future__ import annotations

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

LISTED_MAX = 100  # of each list

KIND = Kind(
    "handover-notes",
    fields={
        "team": Field("id"),
        "place": Field("text"),
        "text": Field("text"),
        "instructions": Field("json"),  # ids of those that were open
        "channels": Field("json"),  # ids of those with unread messages
        "unread": Field("integer"),  # messages
        "in_conflict": Field("json"),  # "kind id"
        "contradictions": Field("json"),  # "rule id"
        "taken_by": Field("id", "once"),
        "taken_at": Field("integer", "once"),
        "taken_note": Field("text", "once"),
        "number": Field("text", "once"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "team": shape.an_id,
        "place": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "text": shape.text(shape.TEXT_CHARS_MAX),
        "taken_at": shape.moment,
        "taken_note": shape.text(shape.LINE_CHARS_MAX),
    },
    needed=("text",),
    given=("instructions", "channels", "unread", "in_conflict", "contradictions", "taken_by", "number"),
    fixed=("team", "place", "text"),
    numbered="number",
)
create, edit = NOUN.create, NOUN.edit
