"""What a locked node says of itself, in clear beside its keys: its name and id. Nothing of a city or an incident.

Written where a node is opened; read by the lock page, before anything can be opened.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from app.store.durable import write_durably

BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Label:
    name: str = ""
    node_id: str = ""


def keep(path: Path, label: Label) -> None:
    """Write it where the file says otherwise. A full disk is no reason not to start."""
    if read(path) != label:
        with contextlib.suppress(OSError):
            write_durably(path, json.dumps(asdict(label), ensure_ascii=False).encode() + b"\n")


def read(path: Path) -> Label:
    """Empty where the file is missing or damaged."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(BYTES_MAX))
        return Label(str(document["name"]), str(document["node_id"]))
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return Label()
