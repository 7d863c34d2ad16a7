"""Who has had an instruction on the screen, and when first: one record an instruction and person.

Written only when a page really showed it (``static/js/orders.js``), never when the page was merely fetched.
"""

from __future__ import annotations

import uuid

from sync.kinds import Field, Kind
from sync.operation import Change

KIND = Kind(
    "instruction-sightings",
    lane="talk",
    fields={"instruction_id": Field("id"), "user_id": Field("id"), "seen_at": Field("integer", "once")},
)


def seen(scope: bytes, instruction_id: str, user_id: str, at: int) -> Change:
    """This person has seen the instruction; a second time changes nothing."""
    record = uuid.uuid5(uuid.UUID(instruction_id), user_id)
    fields = {"instruction_id": instruction_id, "user_id": user_id, "seen_at": at}
    return Change(KIND.name, record.bytes, scope, fields, replaces=None)
