"""The second factor of HQ and administrators on nodes with `command`: a code of an authenticator, or one from paper.

The secret lies in this node's store alone, so it is set up once on each machine. Each code counts once, also a step
that was missed in between; a clock that was set back makes none valid again (``steady``).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from app.errors import Conflict, Invalid, RateLimited, Unauthenticated
from app.people.local import Keep, Local, clean_code, digest, insert, random_code
from app.people.steady import SteadyClock
from app.store.engine import Connection

STEP_S, STEPS_AROUND = 30, 1
WRONG_MAX, PAUSE_MS = 10, 15 * 60_000  # at three valid codes at a time: one chance in 300 a day
RECOVERY_CODES = 10
ROLES = ("admin", "commander", "hq_operator")
_WRONG = ("wrong_second", "The code is wrong.", "Read the newest code, or use one of the recovery codes.")


@dataclass(frozen=True, slots=True)
class Pending:
    secret: str  # base32, for whoever cannot scan
    address: str  # otpauth://, for the QR code


class SecondFactor:
    def __init__(self, local: Local, clock: SteadyClock) -> None:
        self._local, self._clock = local, clock

    # -- is it needed -----------------------------------------------------------------------------

    def is_set_up(self, user_id: str) -> bool:
        row = self._row(user_id)
        return row is not None and row["secret"] is not None

    def is_pending(self, user_id: str) -> bool:
        row = self._row(user_id)
        return row is not None and row["pending"] is not None

    def may_have(self, role: str) -> bool:
        """Only at HQ: on a tablet the enrolled device is the second factor."""
        certificate = self._local.node.certificate
        commands = certificate is not None and "command" in certificate.capabilities
        return commands and role in ROLES and self._local.node.settings.totp == "hq"

    def must_have(self, role: str) -> bool:
        """Beyond loopback nobody of HQ works without; on loopback who has set it up is asked."""
        return self.may_have(role) and bool(self._local.node.settings.serves_tls)

    # -- setting it up ----------------------------------------------------------------------------

    def begin(self, user_id: str, name: str) -> Pending:
        """The secret that waits to be confirmed: made now, or the one that already waits."""
        import pyotp

        row = self._row(user_id)
        secret = (row and row["pending"]) or pyotp.random_base32()
        if row is None or row["pending"] is None:
            statement = (
                "INSERT INTO totp (user_id, pending, last_step, wrong) VALUES (?, ?, 0, 0)"
                " ON CONFLICT (user_id) DO UPDATE SET pending = excluded.pending"
            )
            self._local.write(statement, user_id, secret)
        issuer = f"Tomoshibi {self._local.node.name}"
        return Pending(secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer))

    def confirm(self, user_id: str, code: str) -> list[str]:
        """The first code of the new secret puts it in the old one's place; new recovery codes, shown this once."""
        row = self._row(user_id)
        if row is None or row["pending"] is None:
            raise Conflict("nothing_pending", "There is nothing to confirm.", "Open the page again.")
        self._refuse_paused(row)
        step = self._step_of(row["pending"], code, 0)
        if step is None:
            self._count_wrong(user_id)
            raise Invalid(*_WRONG, "code")
        codes, keep_codes = self._recovery_codes(user_id)

        def keep(connection: Connection) -> None:
            statement = (
                "UPDATE totp SET secret = pending, pending = NULL, made_at = ?, last_step = ?, wrong = 0"
                " WHERE user_id = ? AND pending = ?"
            )
            if connection.execute(statement, (self._clock.now(), step, user_id, row["pending"])).rowcount != 1:
                raise Conflict("nothing_pending", "There is nothing to confirm.", "Open the page again.")
            keep_codes(connection)
            self._clock.keep(connection)

        self._local.node.local_write(keep)
        return codes

    # -- being asked ------------------------------------------------------------------------------

    def check(self, user_id: str, code: str) -> None:
        """One code, once: of the authenticator or from paper. Raises Unauthenticated or RateLimited."""
        if len(clean_code(code)) >= 16:
            return self._use_recovery_code(user_id, code)
        row = self._row(user_id)
        if row is None or row["secret"] is None:
            raise Unauthenticated(*_WRONG)
        self._refuse_paused(row)
        self._clock.refuse_set_back()
        step = self._step_of(row["secret"], code, row["last_step"])
        if step is None or not self._use_step(user_id, step):
            self._count_wrong(user_id)
            raise Unauthenticated(*_WRONG)
        return None

    def codes_left(self, user_id: str) -> int:
        statement = "SELECT count(*) FROM recovery_codes WHERE user_id = ? AND used_at IS NULL"
        return int(self._local.one(statement, user_id)[0])

    def new_recovery_codes(self, user_id: str) -> list[str]:
        """Ten for paper; the old ones are worth nothing any more."""
        codes, keep = self._recovery_codes(user_id)
        self._local.node.local_write(keep)
        return codes

    # -- plain work -------------------------------------------------------------------------------

    def _row(self, user_id: str) -> Any:
        return self._local.one("SELECT * FROM totp WHERE user_id = ?", user_id)

    def _step_of(self, secret: str, code: str, last_step: int) -> int | None:
        import pyotp

        digits = "".join(char for char in code if char.isascii() and char.isdigit())
        now = self._local.node.clock() // (STEP_S * 1000)
        for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
            if step > last_step and hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step), digits):
                return step
        return None

    def _use_step(self, user_id: str, step: int) -> bool:
        statement = "UPDATE totp SET last_step = ?, wrong = 0 WHERE user_id = ? AND last_step < ?"

        def write(connection: Connection) -> bool:
            self._clock.keep(connection)
            return bool(connection.execute(statement, (step, user_id, step)).rowcount)

        return bool(self._local.node.local_write(write))

    def _refuse_paused(self, row: Any) -> None:
        if row["paused_until"] is not None and self._clock.now() < row["paused_until"]:
            raise RateLimited("too_many_tries", "Too many wrong codes.", "Wait a quarter of an hour, or use paper.")

    def _count_wrong(self, user_id: str) -> None:
        until = self._clock.now() + PAUSE_MS
        statement = (
            "UPDATE totp SET wrong = (wrong + 1) % ?, paused_until = iif(wrong + 1 >= ?, ?, paused_until)"
            " WHERE user_id = ?"
        )
        self._local.write(statement, WRONG_MAX, WRONG_MAX, until, user_id)

    def _recovery_codes(self, user_id: str) -> tuple[list[str], Keep]:
        codes = [random_code(4, 5) for _ in range(RECOVERY_CODES)]  # 98 bits each: a plain hash of them is enough
        now = self._clock.now()

        def keep(connection: Connection) -> None:
            connection.execute("DELETE FROM recovery_codes WHERE user_id = ?", (user_id,))
            for code in codes:
                insert("recovery_codes", code_hash=digest(clean_code(code)), user_id=user_id, made_at=now)(connection)

        return codes, keep

    def _use_recovery_code(self, user_id: str, code: str) -> None:
        """Who holds the paper also says that this machine's clock is right now: no step of a later time is kept."""
        statement = "UPDATE recovery_codes SET used_at = ? WHERE code_hash = ? AND user_id = ? AND used_at IS NULL"
        newest = self._local.node.clock() // (STEP_S * 1000) + STEPS_AROUND

        def write(connection: Connection) -> None:
            values = (self._clock.now(), digest(clean_code(code)), user_id)
            if connection.execute(statement, values).rowcount != 1:
                raise Unauthenticated(*_WRONG)
            self._clock.accept(connection)
            connection.execute(
                "UPDATE totp SET wrong = 0, paused_until = NULL, last_step = min(last_step, ?) WHERE user_id = ?",
                (newest, user_id),
            )

        self._local.node.local_write(write)


def forget(connection: Any, user_id: str) -> None:
    """In the transaction that resets a person: the secret and the paper of it are worth nothing any more."""
    connection.execute("DELETE FROM totp WHERE user_id = ?", (user_id,))
    connection.execute("DELETE FROM recovery_codes WHERE user_id = ?", (user_id,))
