"""Equal sets show equal tables: two nodes of one release that hold the same have one public digest."""

from __future__ import annotations

from app import digests
from tests.simulation.checkers import Checker


class Convergence(Checker):
    def looked(self) -> None:
        self._compare(alone=False)

    def settled(self) -> None:
        group = self.world.settled_group
        ends = [machine.replica.published().ends for machine in group]
        for machine, end in zip(group, ends, strict=True):
            if end != ends[0]:
                self.fail(f"{machine.name} does not hold what {group[0].name} holds")
        self._compare(alone=True)
        for machine in self.world.some():
            kept, recomputed = machine.replica.public_digest(), digests.recomputed(machine.disk)["public"]
            self.expect(kept == recomputed, f"{machine.name}: the kept digest is not that of its rows")

    def _compare(self, *, alone: bool) -> None:
        """Digests by what is held; ``alone``: also the lost tails of forks, which spread with the next link."""
        found: dict[object, tuple[str, str]] = {}
        for machine in self.world.awake:
            if machine.release != "this" or machine.hostile:
                continue
            held = (machine.replica.published().digest8(), None if alone else _tails(machine))
            digest = machine.replica.public_digest()
            name, first = found.setdefault(held, (machine.name, digest))
            self.expect(digest == first, f"{machine.name} and {name} hold the same and show something else")


def _tails(machine) -> tuple[tuple[bytes, bytes], ...]:  # type: ignore[no-untyped-def]
    rows = machine.disk.execute("SELECT id, tail FROM branch JOIN stream ON stream.no = branch.stream").fetchall()
    return tuple(sorted((bytes(id_), bytes(tail)) for id_, tail in rows))
