"""The simulated network: cables between nodes, whose frames are late, lost, doubled, overtaken or damaged.

A direction can be blocked while the other goes on. What a cable loses it does not make good: the links must.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from sync.link import Link
from tests.simulation.machine import Machine

_decode = msgspec.msgpack.Decoder().decode
ACK = 0x05  # the type of a receipt, second byte of its frame
FORGED_FROM = 1_000_000  # runs of a hostile node that its own session knows nothing of


@dataclass(frozen=True)
class Weather:
    """How bad the lines are: chances for each frame."""

    latency_ms: int = 20
    jitter_ms: int = 30
    lost: float = 0.0
    doubled: float = 0.0
    overtaken: float = 0.0
    damaged: float = 0.0


CALM = Weather()
Schedule = Callable[..., None]  # (delay_ms, call, *arguments)


class Cable:
    """One connection. Its caller's link is ``links[1]``, the called node's ``links[0]``."""

    def __init__(self, number: int, caller: Machine, called: Machine, network: Network) -> None:
        self.number, self.network = number, network
        self.ends = (called, caller)
        self.starts = (called.starts, caller.starts)
        self.up = True
        self.last_at = [0, 0]
        self.links: list[Link] = [
            called.peers.new_link(caller=False, send=lambda frame: self._send(1, frame), hang_up=self._hang_up),
            caller.peers.new_link(caller=True, send=lambda frame: self._send(0, frame), hang_up=self._hang_up),
        ]

    def open(self) -> None:
        for link in self.links:
            link.open()

    def joins(self, *machines: Machine) -> bool:
        return all(machine in self.ends for machine in machines)

    def _send(self, to: int, frame: bytes) -> None:
        self.network.on_frame(self, to, frame)
        if self.up:
            self.network.carry(self, to, frame)

    def forge(self, to: int, frame: bytes) -> None:
        """A frame that the sender's session has not made."""
        if self.up:
            self.network.carry(self, to, frame)

    def arrive(self, to: int, frame: bytes) -> None:
        machine = self.ends[to]
        if not self.up or not machine.alive or machine.starts != self.starts[to]:
            return
        if machine.hostile and is_of_forged_run(frame):
            return  # its own session would not know what that receipt is for
        self.network.trace("frame", self.ends[1 - to].name, machine.name, frame)
        self.links[to].received(frame)

    def _hang_up(self) -> None:
        """An orderly end: what was sent still arrives, then both know."""
        self.network.schedule(self.network.weather.latency_ms + self.network.weather.jitter_ms + 1, self.cut)

    def cut(self) -> None:
        if not self.up:
            return
        self.up = False
        self.network.cables.remove(self)
        self.network.trace("cut", self.ends[1].name, self.ends[0].name, b"")
        for machine, link, starts in zip(self.ends, self.links, self.starts, strict=True):
            if machine.alive and machine.starts == starts:
                link.down()


class Network:
    def __init__(
        self, chance: random.Random, time: Callable[[], int], schedule: Schedule, trace: Callable[..., None],
        on_frame: Callable[[Cable, int, bytes], None],
    ) -> None:  # fmt: skip
        self.chance, self.time, self.schedule, self.trace, self.on_frame = chance, time, schedule, trace, on_frame
        self.weather = CALM
        self.cables: list[Cable] = []
        self.blocked: set[tuple[str, str]] = set()  # (from, to)
        self.made = 0
        self.frames = 0

    def connect(self, caller: Machine, called: Machine) -> Cable | None:
        """A new connection, where both run and neither direction is blocked."""
        pair = {(caller.name, called.name), (called.name, caller.name)}
        if not caller.alive or not called.alive or pair & self.blocked:
            return None
        self.made += 1
        cable = Cable(self.made, caller, called, self)
        self.cables.append(cable)
        self.trace("open", caller.name, called.name, b"")
        cable.open()
        return cable

    def between(self, one: Machine, two: Machine) -> Cable | None:
        return next((cable for cable in self.cables if cable.joins(one, two)), None)

    def of(self, machine: Machine) -> list[Cable]:
        return [cable for cable in self.cables if machine in cable.ends]

    def carry(self, cable: Cable, to: int, frame: bytes) -> None:
        self.frames += 1
        sender, receiver = cable.ends[1 - to].name, cable.ends[to].name
        weather, chance = self.weather, self.chance
        if (sender, receiver) in self.blocked or (weather.lost and chance.random() < weather.lost):
            self.trace("lost", sender, receiver, frame)
            return
        if weather.damaged and chance.random() < weather.damaged:
            at = chance.randrange(len(frame))
            frame = frame[:at] + bytes([frame[at] ^ 1 << chance.randrange(8)]) + frame[at + 1 :]
        at = self.time() + weather.latency_ms + chance.randrange(weather.jitter_ms + 1)
        if not (weather.overtaken and chance.random() < weather.overtaken):
            at = cable.last_at[to] = max(at, cable.last_at[to])
        self.schedule(at - self.time(), cable.arrive, to, frame)
        if weather.doubled and chance.random() < weather.doubled:
            self.schedule(at - self.time() + 1, cable.arrive, to, frame)


def is_receipt(frame: bytes) -> bool:
    return len(frame) > 1 and frame[1] == ACK


def is_of_forged_run(frame: bytes) -> bool:
    """Whether a frame is the receipt of a run that a hostile pen has sent."""
    try:
        return is_receipt(frame) and _decode(frame)[1] >= FORGED_FROM
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, IndexError):
        return False  # damaged on the way
