"""Channels: those with members are shown to their members only."""

from __future__ import annotations

from typing import Any

from flask import g

from app.api.collection import Collection
from app.queries import channels
from app.queries.row import Record, Where
from app.records import NOUNS


def collection(node: Any) -> Collection:
    noun = NOUNS["channels"]
    return Collection(noun.kind, node, noun, visible=seen_by_person, hidden=_without_hidden)


def seen_by_person(channel: Record) -> bool:
    return channels.visible_to(channel, g.person.id, g.person.team)


def _without_hidden(db: Any, where: Where) -> Where:
    return channels.leave_out(db, where, "id", g.person.id, g.person.team)
