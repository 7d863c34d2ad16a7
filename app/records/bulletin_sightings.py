"""Who has had a notice on the screen, in which edition and when first: one record a notice and person.

Written only when a page really showed the end of its text (``static/js/bulletins.js``), never when it was merely
fetched.
"""

from __future__ import annotations

import uuid

from sync.kinds import Field, Kind
from sync.operation import Change

KIND = Kind(
    "bulletin-sightings",
    lane="talk",
    fields={
        "bulletin_id": Field("id"),
        "user_id": Field("id"),
        "edition": Field("integer", "max"),
        "seen_at": Field("integer", "max"),
    },
)


def seen(scope: bytes, bulletin_id: str, user_id: str, edition: int, at: int) -> Change:
    """This person has seen the notice in this edition; the mark only grows."""
    record = uuid.uuid5(uuid.UUID(bulletin_id), user_id)
    fields = {"bulletin_id": bulletin_id, "user_id": user_id, "edition": edition, "seen_at": at}
    return Change(KIND.name, record.bytes, scope, fields, replaces=None)
