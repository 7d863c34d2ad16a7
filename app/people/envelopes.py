"""The shift envelope (封筒): a sheet of one-time codes for one device, sealed in paper for the night without a link.

Made on the device itself by somebody who may vouch for the role, while they are logged in there: only hashes stay, so
whoever opens the envelope later makes a login with no network and nobody at HQ. Each code works once, on this device,
until the envelope's day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import permissions
from app.errors import Conflict, Forbidden, Invalid
from app.people.codes import Codes
from app.people.local import Keep, Local, both, insert
from app.people.steady import SteadyClock

ROLES = ("shelter_staff", "patrol")
CODES_MAX, DAYS_MAX, TITLE_CHARS_MAX = 30, 14, 60
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Slot:
    number: int
    used_at: int | None
    used_by: str | None


@dataclass(frozen=True, slots=True)
class Envelope:
    id: str
    title: str
    role: str
    made_at: int
    expires_at: int
    made_by: str
    ended_at: int | None
    slots: list[Slot]

    @property
    def unused(self) -> int:
        return sum(1 for slot in self.slots if slot.used_at is None)


class Envelopes:
    def __init__(self, local: Local, codes: Codes, clock: SteadyClock) -> None:
        self._local, self._codes, self._clock = local, codes, clock

    def make(self, envelope_id: str, maker: Any, title: str, role: str, count: int, days: int) -> list[str]:
        """The codes of a new envelope, in the order of the sheet; they are shown this once."""
        title = _checked(title, role, count, days)
        if not permissions.may_vouch(maker.role, role):
            raise Forbidden("forbidden", f"The role {maker.role} makes no logins for {role}.", "Ask HQ.")
        if self._local.one("SELECT 1 FROM envelopes WHERE id = ?", envelope_id) is not None:
            raise Conflict("made_before", "This envelope was made already.", "Make another one.")
        now = self._clock.now()
        until = now + days * DAY_MS
        pairs = [
            self._codes.make(role=role, expires_at=until, envelope_id=envelope_id, number=number)
            for number in range(1, count + 1)
        ]
        keep_envelope = insert(
            "envelopes", id=envelope_id, title=title, role=role, made_at=now, expires_at=until, made_by=maker.id
        )
        keeps: list[Keep] = [keep for _, keep in pairs]
        self._local.node.local_write(both(keep_envelope, *keeps))
        return [code for code, _ in pairs]

    def listed(self) -> list[Envelope]:
        """Newest first, each with which of its codes were used, and by whom."""
        rows = self._local.every("SELECT * FROM envelopes ORDER BY made_at DESC, id LIMIT 50")
        return [self._of(row) for row in rows]

    def get(self, envelope_id: str) -> Envelope | None:
        row = self._local.one("SELECT * FROM envelopes WHERE id = ?", envelope_id)
        return None if row is None else self._of(row)

    def end(self, envelope_id: str) -> None:
        """Found opened, or lost: what is unused works no more."""
        now = self._clock.now()

        def write(connection: Any) -> None:
            connection.execute(
                "UPDATE envelopes SET ended_at = ? WHERE id = ? AND ended_at IS NULL", (now, envelope_id)
            )
            connection.execute(
                "UPDATE login_codes SET expires_at = min(expires_at, ?) WHERE envelope_id = ? AND used_at IS NULL",
                (now - 1, envelope_id),
            )

        self._local.node.local_write(write)

    def _of(self, row: Any) -> Envelope:
        slots = self._local.every(
            "SELECT number, used_at, used_by FROM login_codes WHERE envelope_id = ? ORDER BY number", row["id"]
        )
        held = [Slot(slot["number"], slot["used_at"], slot["used_by"]) for slot in slots]
        ends = (row["made_at"], row["expires_at"], row["made_by"], row["ended_at"])
        return Envelope(row["id"], row["title"], row["role"], *ends, held)


def _checked(title: str, role: str, count: int, days: int) -> str:
    title = title.strip()
    if not 0 < len(title) <= TITLE_CHARS_MAX or not title.isprintable():
        raise Invalid("bad_title", "The envelope needs a name of one line.", "Name the shelter and the shift.", "title")
    if role not in ROLES:
        raise Invalid("unknown_code", "An envelope is for shelters and patrols.", "Known: " + ", ".join(ROLES), "role")
    if not 1 <= count <= CODES_MAX:
        raise Invalid("bad_count", f"From 1 to {CODES_MAX} codes.", "Choose a number.", "count")
    if not 1 <= days <= DAYS_MAX:
        raise Invalid("bad_days", f"From 1 to {DAYS_MAX} days.", "Choose a number.", "days")
    return title
