"""Passphrases: what is asked of one, and its argon2id verifier. Before and after: ``accounts``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from app.errors import Invalid

CHARS_MIN, CHARS_MAX = 8, 256

_T = TypeVar("_T")

# Of a random passphrase that was thrown away, under the parameters of `_hash`: a name that nobody has costs
# an attacker as much time as a wrong passphrase.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$6i8BT8/iB6WZgJN8hdFmpA$GOkRsOYAgsI6fa24yDjK1/6gMBGa7qZ8hnMVLlWWrZA"


def make(passphrase: str) -> str:
    """The verifier of a passphrase. Raises Invalid for one that is too short or too long."""
    if not CHARS_MIN <= len(passphrase) <= CHARS_MAX:
        hint = f"Use {CHARS_MIN} to {CHARS_MAX} characters."
        raise Invalid("weak_passphrase", "The passphrase is too short or too long.", hint, field="passphrase")
    try:
        secret = passphrase.encode()
    except UnicodeEncodeError as error:
        raise Invalid("bad_text", "The passphrase is no text.", "Type it again.", field="passphrase") from error
    return _outside_the_loop(_hash, secret)


def fits(verifier: str, passphrase: str) -> bool:
    if len(passphrase) > CHARS_MAX:
        return False
    return _outside_the_loop(_verify, verifier, passphrase.encode("utf-8", "surrogatepass"))


def _outside_the_loop(work: Callable[..., _T], *arguments: Any) -> _T:
    """argon2 takes 130 ms: under gevent it runs in the native thread pool, and nobody else waits for it."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work(*arguments)
    import gevent

    result: _T = gevent.get_hub().threadpool.apply(work, arguments)
    return result


def _hash(secret: bytes) -> str:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4).hash(secret)


def _verify(verifier: str, secret: bytes) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        return PasswordHasher().verify(verifier, secret)
    except (Argon2Error, InvalidHashError):
        return False
