"""Answers to a call-out, and the duty that follows: a ledger, never changed. The newest of a person is what holds.

``user`` is the person: an entry of the staff register, or a login that one of them has. Whoever else writes it down
says how they heard it (``means``). Safety and reasons are sealed, beside the answer under its id (``muster_safety``).
"""

from __future__ import annotations

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind

BY_LINK = "link"  # the personal link of a mail; no login stands behind it

KIND = Kind(
    "muster-replies",
    entry=True,
    lane="talk",
    fields={
        "muster_id": Field("id"),
        "user": Field("id"),
        "state": Field("text"),
        "eta_at": Field("integer"),
        "happened_at": Field("integer"),
        "means": Field("text"),
        "spoke_with": Field("text"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "muster_id": shape.an_id,
        "user": shape.an_id,
        "state": shape.choice(catalog.table("muster_states").codes),
        "eta_at": shape.moment,
        "happened_at": shape.moment,
        "means": shape.choice((*catalog.table("voice_means").codes, BY_LINK)),
        "spoke_with": shape.text(shape.NAME_CHARS_MAX, lines=False),
    },
    needed=("muster_id", "state"),
)
create, edit = NOUN.create, NOUN.edit
