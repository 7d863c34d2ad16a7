"""While people disagree the more dangerous value is shown, and no removal hides a rescue."""

from __future__ import annotations

from app import catalog
from app.records import KINDS
from tests.simulation import model
from tests.simulation.checkers import Checker

# From the most to the least dangerous, as the design says it: not read from the table that the engine reads.
ORDERS = {
    "passability": ("impassable", "foot_only", "one_lane", None, "passable"),
    "rescue_needed": (True, None, False),
}


class Danger(Checker):
    def settled(self) -> None:
        for machine in self.world.settled_group[:1]:
            held = self.world.held(machine)
            for kind in KINDS:
                dangers = [name for name, spec in kind.fields.items() if spec.merge == "danger"]
                if not dangers or kind.sealed:
                    continue
                wanted = model.records(held, kind)
                for scope, id_, row in machine.replica.projection.rows(kind):
                    record = wanted.get((kind.name, scope, id_))
                    if record is None:
                        continue  # `registers` says so
                    for name in dangers:
                        self._shown(kind.name, name, row.values.get(name), record)
                    hidden = row.hidden and model.must_stay(kind, record.values)
                    self.expect(not hidden, f"{kind.name}: a removal hides somebody who needs help")

    def _shown(self, kind: str, name: str, shown: object, record: model.Record) -> None:
        order = ORDERS.get(name) or catalog.danger_order(name)
        values = [head[3] for head in record.heads.get(name, ())]
        if values:
            worst = min(values, key=lambda value: order.index(value) if value in order else -1)
            self.expect(shown == worst, f"{kind}.{name} shows {shown!r}, somebody says {worst!r}")
