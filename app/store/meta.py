"""What this node knows about itself: name, role, the city's root, its certificate, its hub. A row a fact."""

from __future__ import annotations

from app.store.engine import Connection


def read(connection: Connection, key: str) -> bytes | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else bytes(row[0])


def read_text(connection: Connection, key: str) -> str | None:
    value = read(connection, key)
    return None if value is None else value.decode()


def write(connection: Connection, key: str, value: bytes | str) -> None:
    data = value.encode() if isinstance(value, str) else value
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, data),
    )
