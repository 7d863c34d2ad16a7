"""Lists are observed-remove sets: an element is there until somebody who saw it takes it out."""

from __future__ import annotations

from app.records import KINDS
from tests.simulation import model
from tests.simulation.checkers import Checker


class Sets(Checker):
    def settled(self) -> None:
        for machine in self.world.settled_group[:1]:
            held = self.world.held(machine)
            for kind in KINDS:
                if kind.sets and not kind.sealed:
                    wanted = model.records(held, kind)
                    for scope, id_, row in machine.replica.projection.rows(kind):
                        expected = wanted[kind.name, scope, id_].values if (kind.name, scope, id_) in wanted else {}
                        for name in kind.sets:
                            shown = row.values.get(name) or []
                            self.expect(
                                shown == (expected.get(name) or []),
                                f"{kind.name}.{name}: {shown} instead of {expected.get(name)}",
                            )
