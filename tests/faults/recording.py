"""A hub at work under the shim: made, written to from three threads, closed and opened again. Run as a child.

Arguments: the data folder, the trace, and ``synchronous`` of the connection that writes the log (the product's: FULL).
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from app import birth
from app.bench import stage
from app.config import Settings
from app.node import Node
from app.store import envelope
from app.store.folder import DataFolder
from app.store.keys import read_keys
from sync.authoring import Recorded
from sync.operation import Change
from tests.faults.shim import Shim

SESSIONS, REPORTS, THREADS, PHOTO_BYTES = 3, 120, 3, 9_000
CHECKPOINT_PAGES = 80  # far below the product's, so that a small trace holds many checkpoints


def settings_of(home: Path) -> Settings:
    return Settings(home=home, ballast_mb=0)


def opened(home: Path) -> Node:
    folder = DataFolder(home)
    return Node.open(folder, read_keys(folder.keys, None), settings_of(home))


def born(home: Path) -> None:
    """A hub, with a key file that is cheap to seal: its cost is not what is tried here."""
    envelope.MEMORY_KIB, envelope.TIME = 64, 1
    birth.make_node(DataFolder(home), "hub", "本部", settings_of(home), None)


def main(home: Path, trace: Path, synchronous: str) -> None:
    home.mkdir(parents=True)
    shim = Shim(home)
    shim.trace(trace)
    born(home)
    shim.told("born")
    scope = b""
    for session in range(SESSIONS):
        node = opened(home)
        node.local_write(lambda connection: None)
        for pragma in (f"synchronous = {synchronous}", f"wal_autocheckpoint = {CHECKPOINT_PAGES}"):
            node.replica.connection.execute(f"PRAGMA {pragma}").fetchall()  # type: ignore[attr-defined]
        if not scope:
            _, scope = stage.open_incident(node)
        _work(node, shim, scope, session)
        node.close()
        shim.told("closed")
    print(SESSIONS * REPORTS)


def _work(node: Node, shim: Shim, scope: bytes, session: int) -> None:
    listed = list(stage.reports(scope, REPORTS, seed=session))
    shares = [listed[first::THREADS] for first in range(THREADS)]
    failures: list[BaseException] = []

    def write(share: list[Change], seed: int) -> None:
        try:
            for changes in _changes(share, scope, random.Random(seed)):
                result = node.write(changes, None)
                assert isinstance(result, Recorded), result
                for stream, seq in result.versions:
                    shim.told(f"{stream.hex()} {seq}")
                if seed == 0 and len(changes) > 1:
                    photo = random.Random(result.hlc).randbytes(PHOTO_BYTES)
                    shim.told("photo " + node.blobs.put(photo, "image/jpeg"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(share, seed)) for seed, share in enumerate(shares)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _changes(share: list[Change], scope: bytes, chance: random.Random) -> Iterator[list[Change]]:
    """Reports alone, in small groups, and edited afterwards."""
    at = 0
    while at < len(share):
        group = share[at : at + chance.choice((1, 1, 1, 3))]
        at += len(group)
        yield group
        if chance.random() < 0.3:
            first = group[0]
            yield [Change(first.kind, first.record, scope, {"urgency": chance.choice(("red", "green"))}, replaces=None)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
