"""Run as a program: rekey copies of a closed node, killed with -9 at every n-th step of its own; a JSON line each.

A step is whatever Python says to its auditors: an open, a rename, a removal, a folder. What the engine does in between
touches the copies alone.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from app.store import engine, swap
from app.store.blobs import key_of
from app.store.folder import DataFolder
from app.store.integrity import page_faults
from app.store.keys import read_keys
from app.store.rekey import rekey

STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")


def main(home: Path, work: Path) -> None:
    before = read_keys(DataFolder(home).keys, None).data_key
    number, ended = 1, False
    while not ended:
        trial = DataFolder(work / f"{number}")
        shutil.copytree(home, trial.path)
        child = os.fork()
        if child == 0:
            _killed_at(trial, number)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print(json.dumps({"step": number, "ended": ended, **_state(trial, before)}), flush=True)
        shutil.rmtree(trial.path)
        number += 1


def _killed_at(trial: DataFolder, number: int) -> None:
    seen = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in STEPS and str(trial.path) in str(arguments[0]):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    with trial.lock():
        keys = read_keys(trial.keys, None)
        sys.addaudithook(count)
        rekey(trial, keys)
    os._exit(0)


def _state(trial: DataFolder, before: bytes) -> dict[str, Any]:
    """What whoever opens the folder next finds."""
    with trial.lock():
        key = read_keys(trial.keys, None).data_key
        faults = page_faults(trial.database, key) + page_faults(trial.blobs, key_of(key))
        connection = engine.open_connection(trial.database, key)
        operations = connection.execute("SELECT count(*) FROM op").fetchone()[0]
        connection.close()
    left = [swap.FOLDER] if (trial.path / swap.FOLDER).exists() else []
    return {"key": "old" if key == before else "new", "faults": faults, "operations": operations, "left": left}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
