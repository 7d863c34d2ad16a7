"""Channels: those with members are shown to their members only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from app import records
from app.api.collection import Collection
from app.queries import channels
from app.queries.row import Record, Where
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["channels"]
    return Collection(
        noun.kind,
        node,
        noun,
        check=_members_stay,
        visible=seen_by_person,
        hidden=_without_hidden,
        named=records.channels.standing_id,
    )


def _members_stay(_: Collection, form: Mapping[str, Any], __: str, record: Record | None) -> None:
    if record is not None and record["standing"] and "members" in form:
        shape.refuse("set_once", "members", "of a standing channel are set once", "Open a channel of your own.")


def seen_by_person(channel: Record) -> bool:
    return channels.visible_to(channel, g.person)


def _without_hidden(db: Any, where: Where) -> Where:
    return channels.leave_out(db, where, "id", g.person)
