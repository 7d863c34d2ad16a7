"""What a meeting of HQ decided, one record a decision: with its team it becomes an instruction, which names it."""

from __future__ import annotations

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "hq-meeting-decisions",
    fields={"hq_meeting_id": Field("id"), "text": Field("text"), "team": Field("id")},
)

NOUN = Noun(
    KIND,
    checks={"hq_meeting_id": shape.an_id, "text": shape.text(shape.TEXT_CHARS_MAX), "team": shape.an_id},
    needed=("hq_meeting_id", "text"),
    fixed=("hq_meeting_id",),
)
create, edit = NOUN.create, NOUN.edit
