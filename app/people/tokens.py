"""Bearer tokens of people for the HTTP API; only their hash is kept."""

from __future__ import annotations

import secrets

from app.people.local import Local, digest, insert


class Tokens:
    def __init__(self, local: Local) -> None:
        self._local = local

    def make(self, user_id: str, now: int) -> str:
        token = "tmb_" + secrets.token_urlsafe(30)
        self._local.node.local_write(insert("api_tokens", token_hash=digest(token), user_id=user_id, made_at=now))
        return token

    def user_of(self, token: str) -> str | None:
        statement = "SELECT user_id FROM api_tokens WHERE token_hash = ? AND revoked_at IS NULL"
        row = self._local.one(statement, digest(token))
        return None if row is None else row["user_id"]

    def revoke(self, token: str, now: int) -> None:
        statement = "UPDATE api_tokens SET revoked_at = ? WHERE token_hash = ? AND revoked_at IS NULL"
        self._local.write(statement, now, digest(token))
