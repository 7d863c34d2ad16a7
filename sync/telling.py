"""What one link says of frontiers: a node asks the hub how its log grew, and keeps what it is told. Pure.

Before: ``session`` has opened. After: ``frontiers`` keeps the steps, so that this node can show what HQ knew when.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync import limits, protocol
from sync.actions import Action, Send, Told
from sync.certificate import Certificate
from sync.errors import BadFrame
from sync.local import Frontiers
from sync.protocol import Frontier


@dataclass(slots=True)
class Telling:
    source: Frontiers
    peer: Certificate
    _asked: bool = False
    _told: int | None = None  # up to where the peer knows this node's log; None: it never asked
    _due_ms: int = 0

    def on_frame(self, frame: Frontier) -> list[Action]:
        if frame.steps is None:
            self._told, self._due_ms = frame.position, 0
            return []
        if "hub" not in self.peer.capabilities:
            raise BadFrame("only a hub tells its frontier")
        return [Told(self.peer.node_id, frame.position, frame.steps)]

    def on_tick(self, now_ms: int) -> list[Action]:
        """Ask a hub, once: others are not asked, nobody decides by what they knew. And tell whoever asked."""
        actions: list[Action] = []
        if not self._asked and "hub" in self.peer.capabilities:
            actions.append(Send(protocol.encode(Frontier(self.source.told_up_to(self.peer.node_id), None))))
        self._asked = True
        return actions + self._tell(now_ms)

    def _tell(self, now_ms: int) -> list[Action]:
        """What is new since, a minute's worth in one go."""
        if self._told is None or now_ms < self._due_ms:
            return []
        position, steps = self.source.after(self._told, limits.FRONTIER_STEPS_MAX)
        if len(steps) < limits.FRONTIER_STEPS_MAX:
            self._due_ms = now_ms + limits.FRONTIER_EVERY_MS
        if not steps:
            return []
        self._told = position
        return [Send(protocol.encode(Frontier(position, steps)))]
