"""Teams: their names, who belongs to one, and what it has to do in an incident."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import row
from app.queries.row import Record, Where

WORK_MAX = 50


@dataclass(frozen=True, slots=True)
class Team:
    """A team with its people: those who log in, and those of the register who do not."""

    team: Record
    users: tuple[Record, ...]
    staff: tuple[Record, ...]

    @property
    def size(self) -> int:
        return len(self.users) + len(self.staff)


def get(db: Any, team_id: str) -> Record | None:
    return row.get(db, "teams", team_id)


def listed(db: Any) -> list[Record]:
    return row.select(db, row.kind_of("teams"), Where(), "ORDER BY name, id")


def names(db: Any) -> dict[str, str]:
    return {team.id: team["name"] for team in listed(db)}


def with_members(db: Any) -> list[Team]:
    """Every team with its members, in three questions however many there are."""
    users = _by_team(db, "users")
    logins = {user.id for group in users.values() for user in group}
    staff = _by_team(db, "staff")
    return [
        Team(
            team,
            tuple(users.get(team.id, ())),
            tuple(one for one in staff.get(team.id, ()) if one["user"] not in logins),
        )
        for team in listed(db)
    ]


def reports_of(db: Any, incident_id: str, team_id: str) -> list[Record]:
    """The damage reports that a team was given and that are not finished, the newest first."""
    done = (*catalog.table("response_statuses").in_group("done"), "duplicate")
    marks = ", ".join("?" for _ in done)
    where = Where().also("incident_id = ?", incident_id).also("team = ?", team_id)
    where = where.also(f"coalesce(response_status, 'open') NOT IN ({marks})", *done)
    return row.select(db, row.kind_of("damage-reports"), where, f"ORDER BY created_at DESC, id DESC LIMIT {WORK_MAX}")


def _by_team(db: Any, kind: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    where = Where().also("team IS NOT NULL").also("active IS NOT 0")
    for one in row.select(db, row.kind_of(kind), where, "ORDER BY name, id"):
        found.setdefault(one["team"], []).append(one)
    return found
