"""The spool: letters of call-outs with the secret of their answer link, in a table of this node alone.

Before: ``carrier`` finds a call-out. After: the board says how far each letter has got; the answer page finds its
letter by the secret. It survives a restart, and an offline night; nothing of it is on a link.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

WAITING, SENT, REFUSED, TOO_LATE = "waiting", "sent", "refused", "too_late"
FIRST_RETRY_MS, RETRY_MS_MAX = 15_000, 5 * 60_000
FAULT_CHARS_MAX = 200
_COLUMNS = "token, muster_id, person_id, state, made_at, expires_at, tries, next_at, sent_at, fault"


@dataclass(frozen=True, slots=True)
class Letter:
    """``token`` is the secret of its answer link: one person, one call-out, until ``expires_at``."""

    token: str
    muster_id: str
    person_id: str
    state: str
    made_at: int
    expires_at: int
    tries: int
    next_at: int
    sent_at: int | None
    fault: str | None


def queue(db: Any, letters: Iterable[tuple[str, str, str]], now: int, expires_at: int) -> None:
    """(token, call-out, person) each; who has a letter of this call-out already gets no second one."""
    db.executemany(
        f"INSERT OR IGNORE INTO muster_letters ({_COLUMNS}) VALUES (?, ?, ?, '{WAITING}', ?, ?, 0, ?, NULL, NULL)",
        [(token, muster, person, now, expires_at, now) for token, muster, person in letters],
    )


def by_token(db: Any, token: str) -> Letter | None:
    found = db.execute(f"SELECT {_COLUMNS} FROM muster_letters WHERE token = ?", (token,)).fetchone()
    return Letter(*tuple(found)) if found else None


def of_muster(db: Any, muster_id: str) -> dict[str, Letter]:
    """The letters of a call-out, by person."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM muster_letters WHERE muster_id = ?", (muster_id,))
    return {letter.person_id: letter for letter in (Letter(*tuple(row)) for row in rows)}


def due(db: Any, now: int, limit: int) -> list[Letter]:
    """What is to be sent now, the oldest first."""
    sql = f"SELECT {_COLUMNS} FROM muster_letters WHERE state = '{WAITING}' AND next_at <= ? ORDER BY made_at, token"
    return [Letter(*tuple(row)) for row in db.execute(f"{sql} LIMIT ?", (now, limit))]


def next_due(db: Any) -> int | None:
    """When the next letter is to be tried, ms since 1970."""
    found = db.execute(f"SELECT min(next_at) FROM muster_letters WHERE state = '{WAITING}'").fetchone()
    return found[0] if found else None


def settle(db: Any, token: str, state: str, now: int, fault: str | None = None) -> None:
    """The letter was taken by the mail server, or never will be."""
    sent_at = now if state == SENT else None
    db.execute(
        "UPDATE muster_letters SET state = ?, tries = tries + 1, sent_at = ?, fault = ? WHERE token = ?",
        (state, sent_at, fault and fault[:FAULT_CHARS_MAX], token),
    )


def postpone(db: Any, letters: Iterable[Letter], now: int, fault: str) -> None:
    """Not now: each is tried again, after a while that doubles up to five minutes."""
    db.executemany(
        "UPDATE muster_letters SET tries = tries + 1, next_at = ?, fault = ? WHERE token = ?",
        [(now + retry_ms(letter.tries), fault[:FAULT_CHARS_MAX], letter.token) for letter in letters],
    )


def retry_ms(tries: int) -> int:
    return int(min(FIRST_RETRY_MS << min(tries, 10), RETRY_MS_MAX))
