"""The nouns of the field: what a record holds, and how a form becomes changes. This room is pure."""

from __future__ import annotations

from app.records import (
    attachments,
    bulletin_sightings,
    bulletins,
    channel_reads,
    channels,
    chat_messages,
    chronicle,
    damage_report_people,
    damage_reports,
    handover_notes,
    head_counts,
    heirs,
    hq_meeting_decisions,
    hq_meetings,
    incidents,
    instruction_replies,
    instruction_sightings,
    instructions,
    layers,
    muster_replies,
    muster_safety,
    musters,
    nodes,
    patrol_points,
    patrol_tracks,
    patrols,
    report_phrases,
    sealed_reads,
    set_asides,
    shelter_openings,
    shelters,
    shred_receipts,
    staff,
    staff_contacts,
    teams,
    users,
)
from app.records.noun import CITY, Noun, scope_of
from sync.kinds import Kinds

SCHEMA = 11  # of the projection tables; a new number rebuilds them

_WITH_FORMS = (
    incidents,
    damage_reports,
    report_phrases,
    channels,
    chat_messages,
    instructions,
    instruction_replies,
    chronicle,
    musters,
    muster_replies,
    teams,
    users,
    staff,
    shelters,
    shelter_openings,
    patrols,
    patrol_points,
    patrol_tracks,
    head_counts,
    bulletins,
    handover_notes,
    set_asides,
    hq_meetings,
    hq_meeting_decisions,
    layers,
    attachments,
)
NOUNS: dict[str, Noun] = {module.KIND.name: module.NOUN for module in _WITH_FORMS}
_WITHOUT_FORMS = (
    channel_reads, instruction_sightings, bulletin_sightings, nodes, heirs, damage_report_people,
    staff_contacts, muster_safety, sealed_reads, shred_receipts,
)  # fmt: skip
KINDS = Kinds.of(SCHEMA, *(module.KIND for module in (*_WITH_FORMS, *_WITHOUT_FORMS)))

__all__ = ["CITY", "KINDS", "NOUNS", "SCHEMA", "Noun", "scope_of"]
