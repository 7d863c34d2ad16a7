"""Call-outs (参集連絡): which staffing level, who, to where, and since when; lifted (解除) when it is over.

Whom a call-out is for is read from the staff register by its level (``queries/staff.called_at``); ``teams`` narrows it.
"""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "musters",
    lane="talk",
    fields={
        "level": Field("text"),
        "message": Field("text"),
        "place": Field("text"),  # for all; else each person's own
        "teams": Field("ids", "set"),  # none: all that the level calls
        "called_at": Field("integer"),
        "lifted_at": Field("integer"),
        "number": Field("text", "once"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "level": shape.choice(catalog.table("staffing_levels").codes),
        "message": shape.text(shape.TEXT_CHARS_MAX),
        "place": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "teams": shape.each(shape.an_id),
        "called_at": shape.moment,
        "lifted_at": shape.moment,
    },
    needed=("level",),
    given=("number",),
    numbered="number",
)
create, edit = NOUN.create, NOUN.edit
