"""Teams (班): who leads one, where it is, how it is called by voice.

Its members are the people and the staff who name it as theirs.
"""

from __future__ import annotations

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind(
    "teams",
    city=True,
    fields={
        "name": Field("text"),
        "leader": Field("id"),
        "place": Field("text"),
        "call_by": Field("text"),  # 呼出先: the number of its telephone for work, the call sign of its radio
    },
)
NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "leader": shape.an_id,  # a person or one of the staff
        "place": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "call_by": shape.text(shape.NAME_CHARS_MAX, lines=False),
    },
    needed=("name",),
)
create, edit = NOUN.create, NOUN.edit
