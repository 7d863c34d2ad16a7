"""The order of a ledger is the same everywhere, and nothing stands above what it answers."""

from __future__ import annotations

from app.records import KINDS
from tests.simulation import model
from tests.simulation.checkers import Checker


class Ledgers(Checker):
    def settled(self) -> None:
        group = self.world.settled_group
        for kind in KINDS:
            if kind.entry:
                order = f"SELECT scope, id FROM {kind.table} ORDER BY scope, order_key, origin, seq"
                listed = [machine.disk.execute(order).fetchall() for machine in group]
                for machine, rows in zip(group, listed, strict=True):
                    self.expect(rows == listed[0], f"{machine.name} lists {kind.name} in another order")
        for machine in group[:1]:
            held = self.world.held(machine)
            for kind in KINDS:
                if kind.entry:
                    self._after(machine, held, kind)

    def _after(self, machine, held, kind) -> None:  # type: ignore[no-untyped-def]
        wanted = model.entries(held, kind)
        places = {}
        for scope, id_, row in machine.replica.projection.rows(kind):
            places[scope, row.origin, row.seq] = (row.order_key, row.origin, row.seq)
            entry = wanted.get((kind.name, scope, id_))
            same = entry is not None and entry.version == (row.origin, row.seq)
            self.expect(same, f"{kind.name}: a record is not the entry that the log says")
        self.expect(len(places) == len(wanted), f"{kind.name}: {len(places)} entries of {len(wanted)}")
        for key, entry in wanted.items():
            own = places.get((key[1], *entry.version))
            for name in entry.after:
                before = places.get((key[1], *name))
                if own is not None and before is not None and not _in_circle(entry, name, wanted):
                    self.expect(before < own, f"{kind.name}: an entry stands above what it answers")


def _in_circle(entry, name, wanted) -> bool:  # type: ignore[no-untyped-def]
    """Whether entries name each other: only a hostile node writes that, and they stand by their own stamps."""
    by_version = {each.version: each for each in wanted.values()}
    seen, waiting = set(), [name]
    while waiting:
        version = waiting.pop()
        if version == entry.version:
            return True
        if version not in seen and version in by_version:
            seen.add(version)
            waiting += by_version[version].after
    return False
