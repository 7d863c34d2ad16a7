"""Real nodes in a folder of their own, without processes: what a command sees once it holds the lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import birth
from app.config import Settings
from app.node import Node
from app.store import envelope
from app.store.folder import DataFolder
from app.store.keys import read_keys


@dataclass
class Clock:
    """Corrected time that a test moves by hand."""

    node: Node
    ahead_ms: int = 0

    def advance(self, ms: int) -> None:
        self.ahead_ms += ms
        self.node.correct_clock(self.ahead_ms)


OpenNode = Callable[[str], Node]


@pytest.fixture
def open_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenNode]:
    """Make and open a node of a role; all are closed at the end."""
    monkeypatch.setattr(envelope, "MEMORY_KIB", 64)
    monkeypatch.setattr(envelope, "TIME", 1)
    opened: list[Node] = []

    def make(role: str) -> Node:
        folder = DataFolder(tmp_path / f"{role}{len(opened)}")
        settings = Settings(folder.path, ballast_mb=0)
        birth.make_node(folder, role, f"{role} {len(opened)}", settings, None)
        opened.append(Node.open(folder, read_keys(folder.keys, None), settings))
        return opened[-1]

    yield make
    for node in opened:
        node.close()


@pytest.fixture
def hub(open_node: OpenNode) -> Node:
    return open_node("hub")
