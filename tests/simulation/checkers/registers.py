"""Heads are what was written and not replaced: values, conflicts and what is hidden are those of the plain model."""

from __future__ import annotations

from app.records import KINDS
from tests.simulation import model
from tests.simulation.checkers import Checker


class Registers(Checker):
    def settled(self) -> None:
        """All of the group hold the same (``convergence``): one of them stands for all."""
        for machine in self.world.settled_group[:1]:
            held = self.world.held(machine)
            for kind in KINDS:
                if kind.entry or kind.sealed:
                    continue
                wanted = model.records(held, kind)
                rows = {(kind.name, scope, id_): row for scope, id_, row in machine.replica.projection.rows(kind)}
                self.expect(rows.keys() == wanted.keys(), f"{kind.name}: other records than the log has")
                for key, row in rows.items():
                    self._compare(key[0], row, wanted[key])

    def _compare(self, kind, row, wanted) -> None:  # type: ignore[no-untyped-def]
        spec = KINDS.by_name[kind].fields
        for name, value in wanted.values.items():
            if spec[name].merge in ("register", "max", "once"):
                self.expect(row.values.get(name) == value, f"{kind}.{name}: {row.values.get(name)!r}, not {value!r}")
        text = f"{kind}: {row.conflicts} conflicts, people disagree about {sorted(wanted.conflicts)}"
        self.expect(row.conflicts == len(wanted.conflicts), text)
        self.expect(row.hidden == wanted.hidden, f"{kind}: hidden is {row.hidden}, by the removals {wanted.hidden}")
