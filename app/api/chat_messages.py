"""Messages of the chat: posted into a channel, which also says the incident; never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from app.api import channels as channels_api
from app.api import paging
from app.api.collection import Collection
from app.queries import channels
from app.queries.row import Record, Where
from app.records import NOUNS, shape


def collection(node: Any) -> Collection:
    noun = NOUNS["chat-messages"]

    def visible(message: Record) -> bool:
        channel = channels.get(node.reader(), message["channel_id"])
        return channel is None or channels_api.seen_by_person(channel)

    return Collection(
        noun.kind,
        node,
        noun,
        parameters=("channel_id",),
        filters=_filters,
        visible=visible,
        hidden=_without_hidden,
        incident_of=_incident_of,
    )


def _incident_of(db: Any, body: Mapping[str, Any]) -> str:
    if body.get("channel_id") is None:
        shape.refuse("required", "channel_id", "is needed", "Send the id of a channel.")
    channel = channels.get(db, shape.record_id("channel_id", body["channel_id"]))
    if channel is None or not channels_api.seen_by_person(channel) or channel.incident_id is None:
        shape.refuse("unknown_channel", "channel_id", "is no channel of yours here", "List /api/v1/channels.")
    return channel.incident_id


def _filters(args: Any, where: Where) -> Where:
    channel_id = paging.record_id(args, "channel_id")
    return where if channel_id is None else where.also("channel_id = ?", channel_id)


def _without_hidden(db: Any, where: Where) -> Where:
    return channels.leave_out(db, where, "channel_id", g.person)
