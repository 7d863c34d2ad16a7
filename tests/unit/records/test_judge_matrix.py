"""Which capability lets a device write which collection: every kind × capability × type, as every node judges it."""

from __future__ import annotations

import itertools

import pytest

from app.records import KINDS
from app.records.judge import capable
from sync.kinds import Kind
from sync.operation import CITY, ENTRY, REMOVE, SET, Change

CAPABILITIES = ("field", "command", "hub", "enrol")
IN_THE_FIELD = {"field", "command"}
# Written out by hand: a new kind has to be thought about here as well as in the judge.
WRITERS = {
    "incidents": IN_THE_FIELD, "damage-reports": IN_THE_FIELD, "channels": IN_THE_FIELD, "chat-messages": IN_THE_FIELD,
    "musters": IN_THE_FIELD, "muster-replies": IN_THE_FIELD, "muster-safety": IN_THE_FIELD,
    "staff": {"command"}, "staff-contacts": IN_THE_FIELD,
    "teams": {"command"}, "users": {"command"}, "shelters": {"command"}, "shelter-openings": IN_THE_FIELD,
    "patrols": IN_THE_FIELD, "patrol-points": IN_THE_FIELD, "patrol-tracks": IN_THE_FIELD,
    "head-counts": IN_THE_FIELD, "layers": {"command"}, "attachments": IN_THE_FIELD,
    "channel-reads": IN_THE_FIELD, "nodes": {"enrol"}, "damage-report-people": IN_THE_FIELD,
    "sealed-reads": IN_THE_FIELD, "shred-receipts": set(), "revocations": {"command"}, "scope-keys": {"enrol"},
    "grants": {"enrol"}, "shred-orders": {"enrol"}, "heirs": {"enrol"},
    "instructions": IN_THE_FIELD, "instruction-replies": IN_THE_FIELD, "instruction-sightings": IN_THE_FIELD,
    "set-asides": IN_THE_FIELD, "handover-notes": IN_THE_FIELD,
    "report-phrases": {"command"},
    "chronicle": IN_THE_FIELD, "bulletins": IN_THE_FIELD, "bulletin-sightings": IN_THE_FIELD,
    "hq-meetings": IN_THE_FIELD, "hq-meeting-decisions": IN_THE_FIELD,
}  # fmt: skip


def test_every_kind_has_its_writers_here() -> None:
    assert {kind.name for kind in KINDS} == set(WRITERS)


@pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: kind.name)
def test_a_device_writes_what_its_capabilities_say_and_nothing_else(kind: Kind) -> None:
    wrong = []
    for count in range(len(CAPABILITIES) + 1):
        for held in itertools.combinations(CAPABILITIES, count):
            for written in (SET, ENTRY, REMOVE):
                change = Change(kind.name, bytes(16), CITY, {}, type=written)
                may = capable(kind, change, "ab" * 16, held)
                if may is not bool(WRITERS[kind.name] & set(held)):
                    wrong.append((held, written, may))
    assert wrong == []
