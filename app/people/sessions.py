"""Who is logged in at which browser: rows of this node, each with a stage, a lock and what it is bound to.

Before: the login pages open one. After: ``views/session`` asks at each request, ``live`` at each socket. A session is
bound to this node (its cookie's name, the cookie's key and the row are this node's alone) and, over TLS with a client
certificate, to that certificate. Over plain loopback there is nothing to bind it to: there the machine is the device.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.people.local import Local, digest, insert
from app.people.steady import SteadyClock
from app.store.engine import Connection

SESSION_MS_MAX = 12 * 3_600_000
STAGE_MS_MAX = 10 * 60_000  # from the passphrase to the second factor
UNLOCK_TRIES_MAX = 10
SEEN_EVERY_MS = 60_000  # how finely a last use is written: not each page view is worth a sync of the disk
USED_KNOWN_MAX = 10_000
SECOND, ENROL = "second", "enrol"  # stages before a session is open: a code is awaited, or must be set up first
ANY_PEER = "*"
TLS = "tomoshibi.tls"  # `tls.gate.KEY`, which stands above this room


@dataclass(frozen=True, slots=True)
class Session:
    user_id: str
    stage: str | None
    locked: bool
    locked_at: int | None
    locks_in_ms: int | None  # None: it never locks by itself

    @property
    def open(self) -> bool:
        return self.stage is None and not self.locked


class Sessions:
    def __init__(self, local: Local, clock: SteadyClock) -> None:
        self._local, self._clock = local, clock
        self._used: dict[bytes, int] = {}  # the last use, finer than what is written

    def start(self, user_id: str, *, stage: str | None = None, peer: str | None = None) -> str:
        token, now = secrets.token_urlsafe(24), self._clock.now()
        keep = insert(
            "sessions", id_hash=digest(token), user_id=user_id, made_at=now, seen_at=now, stage=stage, peer=peer
        )

        def write(connection: Connection) -> None:
            keep(connection)
            self._clock.keep(connection)

        self._local.node.local_write(write)
        return token

    def find(self, token: str, *, touch: bool = True, peer: str | None = ANY_PEER) -> Session | None:
        """The session of a token, None where it ended. Using it keeps it alive, unless it is only looked at."""
        id_hash, now = digest(token), self._clock.now()
        row = self._local.one("SELECT * FROM sessions WHERE id_hash = ? AND ended_at IS NULL", id_hash)
        if row is None or (peer != ANY_PEER and row["peer"] != peer):
            return None
        idle = now - max(row["seen_at"], self._used.get(id_hash, 0))
        if now - row["made_at"] > (STAGE_MS_MAX if row["stage"] else SESSION_MS_MAX):
            return None
        if self._idle_ms and idle > self._idle_ms:
            return None
        left = self._lock_ms - idle if self._lock_ms else None
        locked_at = row["locked_at"]
        if locked_at is None and left is not None and left < 0 and row["stage"] is None:
            locked_at = now
            self.lock(token)
        if touch and locked_at is None:
            self._note_use(id_hash, row["seen_at"], now)
        return Session(row["user_id"], row["stage"], locked_at is not None, locked_at, left)

    def lock(self, token: str) -> None:
        statement = "UPDATE sessions SET locked_at = ? WHERE id_hash = ? AND locked_at IS NULL"
        self._local.write(statement, self._clock.now(), digest(token))

    def unlock(self, token: str) -> None:
        id_hash, now = digest(token), self._clock.now()
        statement = "UPDATE sessions SET locked_at = NULL, tries = 0, seen_at = ? WHERE id_hash = ?"
        self._local.write(statement, now, id_hash)
        self._used.pop(id_hash, None)

    def count_try(self, token: str) -> bool:
        """Count a wrong passphrase or code of a session that is not open; after ten it has ended: False."""

        def write(connection: Connection) -> bool:
            id_hash, now = digest(token), self._clock.now()
            row = connection.execute(
                "UPDATE sessions SET tries = coalesce(tries, 0) + 1 WHERE id_hash = ? AND ended_at IS NULL"
                " RETURNING tries",
                (id_hash,),
            ).fetchone()
            if row is not None and row[0] < UNLOCK_TRIES_MAX:
                return True
            connection.execute(
                "UPDATE sessions SET ended_at = ? WHERE id_hash = ? AND ended_at IS NULL", (now, id_hash)
            )
            return False

        return bool(self._local.node.local_write(write))

    def end(self, token: str) -> None:
        statement = "UPDATE sessions SET ended_at = ? WHERE id_hash = ? AND ended_at IS NULL"
        self._local.write(statement, self._clock.now(), digest(token))

    def last_logins(self) -> dict[str, int]:
        rows = self._local.every(
            "SELECT user_id, max(made_at) AS at FROM sessions WHERE stage IS NULL GROUP BY user_id"
        )
        return {row["user_id"]: row["at"] for row in rows}

    @property
    def _lock_ms(self) -> int:
        return int(self._local.node.settings.lock_minutes) * 60_000

    @property
    def _idle_ms(self) -> int:
        return int(self._local.node.settings.idle_minutes) * 60_000

    def _note_use(self, id_hash: bytes, seen_at: int, now: int) -> None:
        if id_hash not in self._used and len(self._used) >= USED_KNOWN_MAX:
            self._used.pop(next(iter(self._used)))
        self._used[id_hash] = now
        if now - seen_at > SEEN_EVERY_MS:

            def write(connection: Connection) -> None:
                connection.execute("UPDATE sessions SET seen_at = ? WHERE id_hash = ?", (now, id_hash))
                self._clock.keep(connection)

            self._local.node.local_write(write)


def peer_of(environ: Mapping[str, Any]) -> str | None:
    """What a session is bound to: the client certificate of its connection, where one was shown."""
    seen = environ.get(TLS)
    return hashlib.sha256(seen.theirs).hexdigest() if seen is not None and seen.theirs else None


def end_of_peer(connection: Any, leaf: bytes, now: int) -> None:
    """In the transaction that withdraws a client certificate: what was begun with it ends."""
    peer = hashlib.sha256(leaf).hexdigest()
    connection.execute("UPDATE sessions SET ended_at = ? WHERE peer = ? AND ended_at IS NULL", (now, peer))


def end_all(connection: Any, user_id: str, now: int) -> None:
    """In the transaction that takes a person's login away: sessions and tokens end with it."""
    connection.execute("UPDATE sessions SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL", (now, user_id))
    connection.execute("UPDATE api_tokens SET revoked_at = ? WHERE user_id = ? AND revoked_at IS NULL", (now, user_id))
