"""Teams (班)."""

from __future__ import annotations

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

KIND = Kind("teams", city=True, fields={"name": Field("text")})
NOUN = Noun(KIND, checks={"name": shape.text(shape.NAME_CHARS_MAX, lines=False)}, needed=("name",))
create, edit = NOUN.create, NOUN.edit
