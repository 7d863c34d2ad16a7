"""The local tables of people: read on this thread's connection, written in the writer's transaction."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from app.store.engine import Connection

Keep = Callable[[Connection], None]  # what is written beside the operations, in their transaction
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without 0 O 1 I L: it is read aloud and typed by hand


class Local:
    def __init__(self, node: Any) -> None:
        self.node = node

    def one(self, statement: str, *values: Any) -> Any:
        return self.node.reader().execute(statement, values).fetchone()

    def every(self, statement: str, *values: Any) -> list[Any]:
        return list(self.node.reader().execute(statement, values))

    def write(self, statement: str, *values: Any) -> int:
        """Carry out one statement; how many rows it changed."""
        return int(self.node.local_write(lambda connection: connection.execute(statement, values).rowcount))


def insert(table: str, *, replace: bool = False, **values: Any) -> Keep:
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    statement = f"{verb} INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"

    def keep(connection: Connection) -> None:
        connection.execute(statement, tuple(values.values()))

    return keep


def both(*keeps: Keep) -> Keep:
    def keep(connection: Connection) -> None:
        for one in keeps:
            one(connection)

    return keep


def random_code(groups: int, signs: int) -> str:
    return "-".join("".join(secrets.choice(CODE_ALPHABET) for _ in range(signs)) for _ in range(groups))


def clean_code(code: str) -> str:
    return "".join(char for char in code.upper() if char in CODE_ALPHABET)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
