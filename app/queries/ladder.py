"""The delivery ladder: how far an instruction has got with each of its recipients, rung by rung, with times.

saved → hub → device → seen → 了解 → 着手 → 完了. A rung has a time only where something proves it: a receipt, a screen
that showed it, an answer. Answers got by voice leave the rungs before them open.
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.queries import arrivals, instructions, nodes, row, teams, users
from app.queries.arrivals import Here, Place
from app.queries.row import Record, Where

RUNGS = ("saved", "hub", "device", "seen", "ack", "started", "done")


@dataclass(slots=True)
class Recipient:
    """One of an instruction's recipients. ``at`` holds the time of each rung that is proved, ms since 1970."""

    id: str
    name: str
    kind: str  # node, user, team or unknown
    at: dict[str, int] = field(default_factory=dict)
    reason: str | None = None
    voice: Record | None = None  # the latest answer that was got by voice
    last: Record | None = None  # the latest answer of all, or that one was taken back
    answers: list[Record] = field(default_factory=list)  # those that count, oldest first
    people: frozenset[str] = frozenset()  # whose answers and screens count
    devices: frozenset[str] = frozenset()  # node ids, hex, whose receipts count
    call_by: str | None = None  # 呼出先: their own, or that of a device of theirs

    def reach(self, rung: str, at: int) -> None:
        """A rung is proved since the earliest time that proves it."""
        self.at[rung] = min(at, self.at.get(rung, at))

    @property
    def state(self) -> str:
        """cannot, or the furthest answer; waiting where there is none."""
        for state in ("done", "cannot", "started", "ack"):
            if state in self.at:
                return state
        return "waiting"

    @property
    def hangs_at(self) -> str | None:
        """The first rung that is missing on the way to 了解; None where it was acknowledged."""
        if self.state != "waiting":
            return None
        return next((rung for rung in RUNGS[:5] if rung not in self.at), None)


@dataclass(frozen=True, slots=True)
class Ladder:
    """An instruction with its recipients."""

    instruction: Record
    recipients: tuple[Recipient, ...]

    def count(self, *states: str) -> int:
        return sum(recipient.state in states for recipient in self.recipients)

    @property
    def acknowledged(self) -> int:
        return len(self.recipients) - self.count("waiting")

    @property
    def group(self) -> str:
        """waiting (somebody has not answered), cannot (somebody can't: HQ has to decide), in_progress, done.

        Withdrawn ones are done.
        """
        if self.instruction["withdrawn_at"] is not None:
            return "done"
        if self.count("waiting"):
            return "waiting"
        if self.count("cannot"):
            return "cannot"
        return "done" if self.count("done") == len(self.recipients) else "in_progress"


def ladders(db: Any, listed: Sequence[Record], here: Here) -> list[Ladder]:
    """The ladders of these instructions of one incident; a fixed number of queries, however many there are."""
    ids = [one.id for one in listed]
    replies, seen = instructions.replies(db, ids), instructions.sightings(db, ids)
    crowd = _Crowd.read(db)
    found = [Ladder(one, tuple(crowd.recipient(name) for name in one["recipients"] or ())) for one in listed]
    _arrivals(db, found, here)
    for ladder in found:
        answers = replies[ladder.instruction.id]
        counting = {reply.id for reply in instructions.counting(answers)}
        by_id = {reply.id: reply for reply in answers}
        for recipient in ladder.recipients:
            _screens(recipient, seen[ladder.instruction.id])
            _answers(recipient, by_id, counting, crowd)
    return found


def refused(db: Any, incident_id: str, here: Here) -> list[Ladder]:
    """Those of an incident that somebody can't carry out: by the ladder itself, so that no list says otherwise."""
    said = "SELECT instruction_id FROM instruction_replies WHERE state = 'cannot' AND hidden = 0"
    where = Where().also("incident_id = ?", incident_id).also(f"withdrawn_at IS NULL AND id IN ({said})")
    listed = row.select(db, row.kind_of(instructions.NAME), where, "ORDER BY created_at")
    return [one for one in ladders(db, listed, here) if one.count("cannot")]


def _screens(recipient: Recipient, seen: Iterable[tuple[str, str, int]]) -> None:
    at = [when for user, node, when in seen if user in recipient.people or node == _hex(recipient)]
    if at:
        recipient.reach("seen", min(at))


def _answers(recipient: Recipient, replies: Mapping[str, Record], counting: Container[str], crowd: _Crowd) -> None:
    for reply in replies.values():
        if not _counts_for(recipient, replies.get(reply["takes_back"] or "", reply), crowd):
            continue
        if reply["takes_back"]:
            recipient.last = reply
        if reply.id not in counting:
            continue
        recipient.answers.append(reply)
        recipient.reach(reply["state"], reply["happened_at"] or reply.created_at)
        recipient.last = reply
        if reply["state"] == "cannot":
            recipient.reason = reply["reason"]
        if reply["means"] and reply["on_behalf_of"] == recipient.id:
            recipient.voice = reply


def _counts_for(recipient: Recipient, reply: Record, crowd: _Crowd) -> bool:
    """It is the answer of a recipient's node, its author, its author's team, or was written down for the recipient."""
    if reply["on_behalf_of"] is not None:
        return bool(reply["on_behalf_of"] == recipient.id)
    return recipient.id in (_dashed(reply.node), reply.author, crowd.team_of.get(reply.author or ""))


# -- receipts -------------------------------------------------------------------------------------


def _arrivals(db: Any, found: Sequence[Ladder], here: Here) -> None:
    """The rungs saved, hub and device."""
    known = arrivals.places(db, "instructions", [ladder.instruction for ladder in found], here)
    hub = arrivals.at_hub(db, known, here)
    asked: list[tuple[Recipient, bytes, Place]] = []
    for ladder in found:
        instruction = ladder.instruction
        place = known.get(instruction.id)
        for recipient in ladder.recipients:
            recipient.at["saved"] = instruction.created_at
            if instruction.id in hub:
                recipient.at["hub"] = hub[instruction.id]
            if place is None:
                continue
            for device in recipient.devices:
                held = _held(device, instruction, place, hub, here)
                if held is not None:
                    recipient.reach("device", held)
                else:
                    asked.append((recipient, bytes.fromhex(device), place))
    receipted = arrivals.receipts(db, [(device, place) for _, device, place in asked])
    for (recipient, _, _), at in zip(asked, receipted, strict=True):
        if at is not None:
            recipient.reach("device", at)


def _held(device: str, instruction: Record, place: Place, hub: Mapping[str, int], here: Here) -> int | None:
    """Since when a device holds the instruction because it wrote it, is this one, or is the hub."""
    if device == instruction.node:
        return instruction.created_at
    if device == here.node_id.hex():
        return place.received_at
    return hub.get(instruction.id) if here.hub is not None and device == here.hub.hex() else None


# -- who a recipient is ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Crowd:
    """People, teams and nodes of the city: small tables, read once."""

    users: dict[str, Record]
    teams: dict[str, Record]
    nodes: dict[str, Record]
    team_of: dict[str, str]

    @staticmethod
    def read(db: Any) -> _Crowd:
        people = {user.id: user for user in users.listed(db)}
        return _Crowd(
            people,
            {team.id: team for team in teams.listed(db)},
            {node.id: node for node in nodes.listed(db)},
            {user.id: user["team"] for user in people.values() if user["team"]},
        )

    def recipient(self, name: str) -> Recipient:
        if name in self.nodes:
            devices = frozenset((_bare(name),))
            node = self.nodes[name]
            return Recipient(name, node["name"] or "", "node", devices=devices, call_by=node["call_by"])
        if name in self.teams:
            members = frozenset(user for user, team in self.team_of.items() if team == name)
            homes = frozenset(home for user in members if (home := self.users[user]["home_node"]))
            team, by = self.teams[name], self.teams[name]["call_by"] or self._beside(homes)
            return Recipient(name, team["name"] or "", "team", people=members, devices=homes, call_by=by)
        if name in self.users:
            user, home = self.users[name], self.users[name]["home_node"]
            devices, own_team = frozenset((home,) if home else ()), self.teams.get(user["team"] or "")
            by = (own_team["call_by"] if own_team is not None else None) or self._beside(devices)
            people = frozenset((name,))
            return Recipient(name, user["name"] or "", "user", people=people, devices=devices, call_by=by)
        return Recipient(name, name[:8], "unknown")

    def _beside(self, devices: Iterable[str]) -> str | None:
        """How people are called at the device they were entered at: not at HQ's own, where many were for others."""
        known = (self.nodes.get(_dashed(device)) for device in sorted(devices))
        return next((node["call_by"] for node in known if node and node["role"] != "hub" and node["call_by"]), None)


def _hex(recipient: Recipient) -> str | None:
    return _bare(recipient.id) if recipient.kind == "node" else None


def _bare(record_id: str) -> str:
    return uuid.UUID(record_id).hex


def _dashed(node_id: str) -> str:
    return str(uuid.UUID(hex=node_id))
