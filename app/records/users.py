"""People who use the system: names, roles, teams. Credentials are never operations.

``home_node`` is the node that a person belongs to. A device with the capability ``field`` writes people of
its own node only, so each of its operations carries its own id there (``judge``). On everybody's record it may note
in ``access`` that its people vouched for somebody, or reset a login: a word for the history, which gives no rights.
"""

from __future__ import annotations

import uuid

from app import catalog
from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change

KIND = Kind(
    "users",
    city=True,
    fields={
        "name": Field("text"),
        "role": Field("text"),
        "team": Field("id"),
        "home_node": Field("text"),
        "active": Field("flag"),
        "access": Field("json", "set"),  # "vouched <node id>", "reset <node id>"
    },
)

NOUN = Noun(
    KIND,
    checks={
        "name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "role": shape.choice(catalog.table("roles").codes),
        "team": shape.an_id,
        "active": shape.flag,
    },
    needed=("name", "role"),
    given=("home_node", "access"),
)
create, edit = NOUN.create, NOUN.edit


def noted(user_id: uuid.UUID, scope: bytes, access: str) -> Change:
    """A word on how a person came to a login, or lost it; whoever writes it answers for it."""
    fields = {"access": {"add": [access], "drop": []}}
    return Change(KIND.name, user_id.bytes, scope, fields, expects="present")
