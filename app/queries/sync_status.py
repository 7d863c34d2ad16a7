"""How far this node's own records have got, for the badge and the sync page: told by the node, never guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from app import machine
from app.machine import Battery
from app.queries import row
from app.queries.row import Record, Where
from app.records import scope_of

State = Literal["hub", "synced", "sending", "alone", "not_enrolled"]


@dataclass(frozen=True, slots=True)
class SyncState:
    state: State
    unsent: int
    hub_name: str | None
    last_contact_ms: int | None
    terminals: int = 0
    terminals_connected: int = 0
    clock_offset_ms: int = 0
    now_ms: int = 0
    damaged: bool = False
    hub_fault: str | None = None  # why whoever answers for the hub was not spoken to
    battery: Battery | None = None
    files_unsent: int = 0  # photos and recordings that records name and the hub has not receipted

    @property
    def may_end_unsent(self) -> bool:
        """The battery is low, and something here has not reached HQ."""
        return bool(self.battery and self.battery.low and (self.unsent or self.files_unsent))

    @property
    def reaches_hub(self) -> bool:
        return self.state in ("hub", "synced", "sending")

    @property
    def age_s(self) -> int | None:
        return None if self.last_contact_ms is None else max(0, (self.now_ms - self.last_contact_ms) // 1000)

    @property
    def age_minutes(self) -> int | None:
        return None if self.age_s is None else self.age_s // 60


def sync_state(node: Any) -> SyncState:
    """The state that the badge of every page shows."""
    status = node.status()
    peers = node.peers()
    hub = status.get("hub") or {}
    unsent = len(node.unsent_records()) if status.get("unsent") else 0
    terminals = [peer for peer in peers if peer.get("role") == "terminal"]
    return SyncState(
        state=_state(node, hub, unsent),
        unsent=unsent,
        hub_name=next((peer.get("name") for peer in peers if peer.get("role") == "hub"), None),
        last_contact_ms=_to_ms(hub.get("last_contact_at")),
        terminals=len(terminals),
        terminals_connected=sum(1 for peer in terminals if peer.get("state") == "connected"),
        clock_offset_ms=int(status.get("clock_offset_ms") or 0),
        now_ms=node.clock(),
        hub_fault=hub.get("code"),
        damaged=bool(status.get("damage")),
        battery=machine.battery(),
        files_unsent=int((status.get("blobs") or {}).get("unsent") or 0),
    )


def _state(node: Any, hub: dict[str, Any], unsent: int) -> State:
    if node.role == "hub":
        return "hub"
    if not node.enrolled:
        return "not_enrolled"
    if hub.get("state") != "connected":
        return "alone"
    return "sending" if unsent else "synced"


def _to_ms(moment: Any) -> int | None:
    if moment is None or isinstance(moment, int):
        return moment
    return int(datetime.fromisoformat(str(moment)).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Arrived:
    report: Record
    hub_at: int


def titled(db: Any, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records with themselves as ``shown``, so that a page can name them; None where it is removed."""
    shown: dict[tuple[str, str], Record] = {}
    for kind in {record["kind"] for record in records}:
        where = Where().also("id IN (SELECT value FROM json_each(?))", _ids(records, kind))
        shown |= {(kind, found.id): found for found in row.select(db, row.kind_of(kind), where)}
    return [{**record, "shown": shown.get((record["kind"], record["id"]))} for record in records]


def _ids(records: list[dict[str, Any]], kind: str) -> str:
    return json.dumps([record["id"] for record in records if record["kind"] == kind])


def own_arrived(db: Any, node: Any, user_id: str, limit: int) -> list[Arrived]:
    """This person's newest reports written here that the hub holds, each with the time of its receipt."""
    where = Where().also("node = ?", node.node_id).also("author = ?", user_id)
    newest = f"ORDER BY created_at DESC LIMIT {int(limit)}"
    modes = {incident.id: incident["mode"] for incident in row.select(db, row.kind_of("incidents"), Where())}
    found = []
    for report in row.select(db, row.kind_of("damage-reports"), where, newest):
        if report.incident_id not in modes:
            continue
        scope = scope_of(modes[report.incident_id], report.incident_id)
        come = node.delivery("damage-reports", scope, report.id) or {}
        hub_at = come.get("first_hub_at") if come.get("hub_at") else None
        if hub_at:
            found.append(Arrived(report, hub_at))
    return found
