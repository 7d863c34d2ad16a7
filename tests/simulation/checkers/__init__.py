"""What must hold, one rule a file. A checker listens to what happens, and looks at everything when all has settled."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sync.replica import Committed

if TYPE_CHECKING:
    from tests.simulation.machine import Machine
    from tests.simulation.network import Cable
    from tests.simulation.world import World, Write


class Broken(AssertionError):
    """A rule does not hold. ``checker`` says which."""

    def __init__(self, checker: str, text: str) -> None:
        super().__init__(f"{checker}: {text}")
        self.checker = checker


class Checker:
    """Does nothing; a rule overrides what it listens to."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def name(self) -> str:
        return type(self).__module__.rsplit(".", 1)[-1]

    def fail(self, text: str) -> None:
        self.world.fail(self.name, text)

    def expect(self, holds: bool, text: str) -> None:
        if not holds:
            self.fail(text)

    def wrote(self, machine: Machine, write: Write) -> None:
        """A person was told that this is saved."""

    def durable(self, machine: Machine) -> None:
        """A transaction is on the disk; nobody has been told yet."""

    def committed(self, machine: Machine, committed: Committed) -> None:
        """A batch is durable, and its results were given out."""

    def sent(self, cable: Cable, to: int, frame: bytes) -> None:
        """A session sent a frame."""

    def started(self, machine: Machine) -> None:
        """A process has begun on what the disk holds."""

    def restored(self, machine: Machine, *, noticed: bool) -> None:
        """An older copy took the place of a node's database; ``noticed``: the file beside it tells."""

    def looked(self) -> None:
        """Now and then in the storm."""

    def settled(self) -> None:
        """All faults have ended, and everything has come to rest."""


HOOKS = ("wrote", "durable", "committed", "sent", "started", "restored", "looked", "settled")


@functools.cache
def all_checkers() -> list[type[Checker]]:
    found: list[type[Checker]] = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        found += [
            value
            for value in vars(loaded).values()
            if isinstance(value, type) and issubclass(value, Checker) and value.__module__ == loaded.__name__
        ]
    return found


class Checkers:
    """Every checker, called only for what it listens to."""

    def __init__(self, world: World) -> None:
        self.listed = [made(world) for made in all_checkers()]
        for hook in HOOKS:
            listening = [
                getattr(checker, hook)
                for checker in self.listed
                if getattr(type(checker), hook) is not getattr(Checker, hook)
            ]
            setattr(self, hook, _told(listening))

    def __getattr__(self, name: str) -> Callable[..., None]:
        raise AttributeError(name)


def _told(listening: list[Callable[..., None]]) -> Callable[..., None]:
    def tell(*arguments: Any, **more: Any) -> None:
        for listener in listening:
            listener(*arguments, **more)

    return tell
