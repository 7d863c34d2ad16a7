"""How far a record has got: saved here, durable at the hub. What is not proved is null."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify

from app.api import wire
from app.api.collection import scope_of
from app.errors import Invalid, NotFound
from app.permissions import permission
from app.queries import bulletins, channels, ladder, row
from app.queries.row import Record
from app.records import KINDS, shape
from sync.kinds import OF_SYNC

RUNGS = ("saved_at", "hub_at", "device_at", "seen_at", "ack_at", "started_at", "done_at", "cannot_at")
_WITHOUT_DELIVERY = frozenset(
    (
        "channel-reads",
        "instruction-sightings",
        "bulletin-sightings",
        "sealed-reads",
        "shred-receipts",
        *(kind.name for kind in KINDS if kind.sealed or kind in OF_SYNC),
    )
)


def register(blueprint: Blueprint, node: Any) -> None:
    @permission("delivery", "read")
    def shown(record_id: str) -> Response:
        db = node.reader()
        record = _find(db, record_id)
        known = node.delivery(record.kind, scope_of(record), record.id)
        times = {rung: wire.show_time(known.get(rung)) for rung in RUNGS}
        hub = {"recipient": "hub", "name": "hub", **times, "reason": None}
        recipients = _recipients(node, record) if record.kind == "instructions" else [hub]
        recipients += _readers(node, record) if record.kind == "bulletins" else []
        return jsonify(record_id=record.id, recipients=recipients)

    blueprint.add_url_rule("/api/v1/delivery/<record_id>", "delivery", shown)


def _recipients(node: Any, instruction: Record) -> list[dict[str, Any]]:
    """The ladder of an instruction, one row a recipient."""
    found = ladder.ladders(node.reader(), [instruction], node.here())[0].recipients
    return [
        {
            "recipient": recipient.id,
            "name": recipient.name,
            **{rung: wire.show_time(recipient.at.get(rung.removesuffix("_at"))) for rung in RUNGS},
            "reason": recipient.reason,
        }
        for recipient in found
    ]


def _readers(node: Any, bulletin: Record) -> list[dict[str, Any]]:
    """Who is to read a notice: behind the hub, each with when it stood on the screen."""
    line = bulletins.lines(node.reader(), [bulletin], g.person.id)[0]
    return [
        {
            "recipient": reader.user.id,
            "name": reader.user["name"],
            **dict.fromkeys(RUNGS),
            "seen_at": wire.show_time(reader.seen_at),
            "reason": None,
        }
        for reader in line.readers
    ]


def _find(db: Any, record_id: str) -> Record:
    try:
        known = shape.record_id("id", record_id)
    except Invalid:
        known = ""
    for kind in KINDS:
        record = row.get(db, kind.name, known) if known and kind.name not in _WITHOUT_DELIVERY else None
        if record is not None and _visible(db, record):
            return record
    raise NotFound("not_found", "No record has this id here.", "Check the id; it may not have arrived yet.")


def _visible(db: Any, record: Record) -> bool:
    if record.kind == "chat-messages":
        channel = channels.get(db, record["channel_id"])
    else:
        channel = record if record.kind == "channels" else None
    return channel is None or channels.visible_to(channel, g.person)
