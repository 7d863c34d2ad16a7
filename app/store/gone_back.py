"""What a node once wrote and no longer holds: noted when a start finds that the store has gone back, for `doctor`.

Before: the note beside the store (``folder``) names more than the store has. After: what others held comes again.
"""

from __future__ import annotations

import msgspec

from app.store import meta
from app.store.engine import Connection
from sync.version_vector import Vector

KEY = "gone_back"


def note(connection: Connection, last: Vector) -> None:
    """Remember how far own streams once went."""
    known = _read(connection)
    kept = {stream: max(seq, known.get(stream, 0)) for stream, seq in {**known, **last}.items()}
    meta.write(connection, KEY, msgspec.msgpack.encode(kept))


def missing(connection: Connection, held: Vector) -> int:
    return sum(max(0, seq - held.get(stream, 0)) for stream, seq in _read(connection).items())


def _read(connection: Connection) -> dict[bytes, int]:
    data = meta.read(connection, KEY)
    return {} if data is None else msgspec.msgpack.decode(data, type=dict[bytes, int])
