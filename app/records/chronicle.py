"""Lines of the chronology that people write (クロノロジー): a ledger. All other lines are read from the log itself.

``happened_at`` is when it happened, where that is not when it was written; ``corrects`` names the line that this one
puts right: nothing is ever changed.
"""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "chronicle",
    entry=True,
    fields={
        "text": Field("text"),
        "happened_at": Field("integer"),
        "source": Field("text"),
        "corrects": Field("id"),
        "reason": Field("text"),  # why it is written more than a day later
    },
)

NOUN = Noun(
    KIND,
    checks={
        "text": shape.text(shape.TEXT_CHARS_MAX),
        "happened_at": shape.moment,
        "source": shape.choice(catalog.table("chronicle_sources").codes),
        "corrects": shape.an_id,
        "reason": shape.text(shape.LINE_CHARS_MAX),
    },
    needed=("text",),
)
create, edit = NOUN.create, NOUN.edit
