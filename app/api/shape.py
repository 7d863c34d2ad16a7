"""The answers of the API that are not records, as pydantic models: the source of their JSON Schemas.

Imported by ``openapi`` alone, when the description is first asked for.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """RFC 9457, with our `code`, the `field` that is wrong and a `hint` for whoever can act on it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None
    hint: str


class Health(BaseModel):
    ok: bool


class HubLink(BaseModel):
    model_config = ConfigDict(extra="allow")

    url: str | None
    state: str
    last_contact_at: AwareDatetime | None


class Status(BaseModel):
    """What this node knows. `unsent` counts own operations that the hub has not receipted."""

    model_config = ConfigDict(extra="allow")

    node_id: str
    name: str
    role: Literal["hub", "terminal"]
    hub: HubLink
    unsent: int
    vector: dict[str, int]
    digest: str
    conflicts: int
    quarantined: int
    awaited: int
    clock_offset_ms: int | None
    damage: str | None  # of this node's files, as its daily look found it
    version: str
    schema_number: int = Field(alias="schema")


class HistoryLine(BaseModel):
    """One operation on a record. `counts` is false where it is in quarantine, and `reason` says why."""

    model_config = ConfigDict(extra="allow")

    at: AwareDatetime | None
    received_at: AwareDatetime | None
    author: str | None
    node: str
    fields: dict[str, Any]
    overwrites: bool  # written with If-Match: *, without having looked
    counts: bool
    reason: str | None


class History(BaseModel):
    record_id: str
    items: list[HistoryLine]


class ConflictValue(BaseModel):
    value: Any
    author: str | None
    node: str
    at: AwareDatetime | None


class Conflict(BaseModel):
    """A field of which people know several values; `shown` is the one in force until somebody settles it."""

    collection: str
    record_id: str
    incident_id: str | None
    field: str
    shown: Any
    values: list[ConflictValue]


class Conflicts(BaseModel):
    items: list[Conflict]


class Against(BaseModel):
    collection: str
    record_id: str


class SaidToBeKnown(BaseModel):
    """Who said that it is known, and why."""

    id: str
    because: str
    author: str | None
    node: str
    at: AwareDatetime | None


class Contradiction(BaseModel):
    """A rule that records break together. `facts`: what the rule saw; a set-aside holds while they are the same."""

    rule: str
    collection: str
    record_id: str
    against: Against | None
    facts: str
    set_aside: SaidToBeKnown | None


class Contradictions(BaseModel):
    items: list[Contradiction]


class SilentSource(BaseModel):
    shelter_id: str
    name: str


class People(BaseModel):
    """`value` is null while nobody has counted: blank is never 0.

    `sources`: the open shelters, and any other that has reported. `oldest_at`: when the oldest count in it was made.
    """

    value: int | None
    as_of: AwareDatetime
    sources: int
    reporting: int
    oldest_at: AwareDatetime | None
    silent: list[SilentSource]


class ShelterCounts(BaseModel):
    open: int
    closed: int
    preparing: int
    unknown: int


class ReportCounts(BaseModel):
    open: int
    in_progress: int
    done: int


class PatrolCounts(BaseModel):
    safe: int
    caution: int
    cleared: int


class Totals(BaseModel):
    people: People
    shelters: ShelterCounts
    damage_reports: ReportCounts
    patrols: PatrolCounts


class Recipient(BaseModel):
    """How far a record has got with one recipient; what is not proved is null."""

    recipient: str
    name: str
    saved_at: AwareDatetime | None
    hub_at: AwareDatetime | None
    device_at: AwareDatetime | None
    seen_at: AwareDatetime | None
    ack_at: AwareDatetime | None
    started_at: AwareDatetime | None
    done_at: AwareDatetime | None
    cannot_at: AwareDatetime | None
    reason: str | None


class Delivery(BaseModel):
    record_id: str
    recipients: list[Recipient]


class Attachment(BaseModel):
    """A file that records may name. `sha256` is that of the file as it is kept, not of what was sent."""

    sha256: str
    size: int
    media_type: Literal["image/jpeg", "image/png", "audio/webm"]


HazardQuality = Literal["inside", "edge", "hole", "outside"]


class HazardSource(BaseModel):
    """Where an answer comes from. `quality` outside and hole: not assessed, which never means safe."""

    rivers: list[str]
    quality: HazardQuality
    layer: str
    title: str
    scenario: str | None
    data_date: str | None
    source: str | None
    drill: bool


class DepthClass(BaseModel):
    """A class of depth. `rank` null: not assessed; 0: assessed and dry. `max_m` null: open."""

    rank: int | None
    min_m: float | None
    max_m: float | None
    label: str | None


class FloodDepth(DepthClass, HazardSource):
    """The worst within the circle of `accuracy_m` (or at the point); `ranks` is all near it, the worst first."""

    ranks: list[DepthClass]


class DurationClass(BaseModel):
    rank: int | None
    min_h: float | None
    max_h: float | None
    label: str | None


class FloodDuration(DurationClass, HazardSource):
    ranks: list[DurationClass]


class HazardZone(HazardSource):
    """`kinds`: the zones that the position stands in (flow, erosion); `near`: those within 15 m or the circle."""

    kinds: list[str]
    near: list[str]
    label: str | None


class Hazard(BaseModel):
    """A part is null where this node has no layer of it."""

    flood: FloodDepth | None
    duration: FloodDuration | None
    collapse: HazardZone | None
    landslide: HazardZone | None


ANSWERS = (Attachment, Problem, Health, Status, History, Conflicts, Contradictions, Totals, Delivery, Hazard)
