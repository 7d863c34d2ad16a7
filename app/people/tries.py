"""Tries at a secret, counted for each name since the node started: ten within a minute, then one waits."""

from __future__ import annotations

from app.errors import RateLimited

TRIES_MAX, WITHIN_MS, NAMES_COUNTED_MAX = 10, 60_000, 1_000


class Tries:
    def __init__(self) -> None:
        self._tries: dict[str, list[int]] = {}

    def count(self, name: str, now: int) -> None:
        """Raises RateLimited at the eleventh within a minute."""
        tries = [at for at in self._tries.get(name, []) if 0 <= now - at < WITHIN_MS]
        if len(tries) >= TRIES_MAX:
            raise RateLimited("too_many_tries", "Too many tries for this name.", "Wait a minute, then try again.")
        if len(self._tries) >= NAMES_COUNTED_MAX and name not in self._tries:
            self._tries.pop(next(iter(self._tries)))
        self._tries[name] = [*tries, now]

    def forget(self, name: str) -> None:
        self._tries.pop(name, None)
