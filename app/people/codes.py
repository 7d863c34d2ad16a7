"""One-time codes: for a person, for the first person of a role, or one of a shift envelope. Only hashes are kept."""

from __future__ import annotations

from typing import Any

from app.errors import Unauthenticated
from app.people.local import Keep, Local, clean_code, digest, insert, random_code
from app.people.steady import SteadyClock
from app.store.engine import Connection

CODE_MINUTES_ROLE, CODE_MINUTES_PERSON = 24 * 60, 7 * 24 * 60
ASK_FOR_CODE = "Ask HQ for a new one-time code."


class Codes:
    def __init__(self, local: Local, clock: SteadyClock) -> None:
        self._local, self._clock = local, clock

    def make(
        self, *, user_id: str | None = None, role: str | None = None, expires_at: int | None = None,
        envelope_id: str | None = None, number: int | None = None,
    ) -> tuple[str, Keep]:  # fmt: skip
        """A code, and what keeps its hash. A new one for a person ends that person's older ones."""
        code, now = random_code(4, 4), self._clock.now()
        minutes = CODE_MINUTES_ROLE if user_id is None else CODE_MINUTES_PERSON
        keep_code = insert(
            "login_codes", code_hash=digest(clean_code(code)), user_id=user_id, role=role, made_at=now,
            expires_at=expires_at or now + 60_000 * minutes, envelope_id=envelope_id, number=number,
        )  # fmt: skip

        def keep(connection: Connection) -> None:
            if user_id is not None:
                connection.execute("DELETE FROM login_codes WHERE user_id = ? AND used_at IS NULL", (user_id,))
            keep_code(connection)

        return code, keep

    def live(self, code: str) -> Any:
        """The row of a code that may still be used. Raises Unauthenticated."""
        row = self._local.one("SELECT * FROM login_codes WHERE code_hash = ?", digest(clean_code(code)))
        if row is None:
            raise Unauthenticated("wrong_code", "There is no such code.", "Check the code letter by letter.")
        if row["used_at"] is not None:
            raise Unauthenticated("code_used", "This code was used already.", ASK_FOR_CODE)
        if self._clock.now() > row["expires_at"]:
            raise Unauthenticated("code_expired", "This code has expired.", ASK_FOR_CODE)
        return row

    def user(self, code_hash: bytes, user_id: str) -> Keep:
        """What uses a code up: of two at once the second is refused, and all it wrote is undone."""
        statement = "UPDATE login_codes SET used_at = ?, used_by = ? WHERE code_hash = ? AND used_at IS NULL"

        def keep(connection: Connection) -> None:
            if connection.execute(statement, (self._clock.now(), user_id, code_hash)).rowcount != 1:
                raise Unauthenticated("code_used", "This code was used already.", ASK_FOR_CODE)
            self._clock.keep(connection)

        return keep

    def is_first_start(self) -> bool:
        """Nobody can log in yet, and the code of ``init`` waits."""
        waits = "SELECT 1 FROM login_codes WHERE role = 'admin' AND envelope_id IS NULL AND used_at IS NULL"
        return self._local.one("SELECT 1 FROM credentials") is None and self._local.one(waits) is not None
