"""Totals are honest: the people in the shelters are the sum of the latest count of each post, once each."""

from __future__ import annotations

from app.queries import head_counts
from app.records import KINDS
from tests.simulation import city, model
from tests.simulation.checkers import Checker

COUNTS = KINDS.by_name["head-counts"]


class Sums(Checker):
    def settled(self) -> None:
        for machine in self.world.settled_group[:1]:
            if not machine.replica.projector.facts.modes:
                continue  # the incident itself is nowhere: no page asks for its people, and no drill is told from it
            wanted = model.entries(self.world.held(machine), COUNTS)
            keys = {
                (row.origin, row.seq): (row.order_key, row.origin, row.seq)
                for scope, _, row in machine.replica.projection.rows(COUNTS)
                if scope == city.REAL_SCOPE
            }
            latest: dict[tuple[object, object], tuple[tuple[int, bytes, int], int]] = {}
            for (_, scope, _), entry in wanted.items():
                if scope == city.REAL_SCOPE and entry.version in keys and _counts(entry.fields):
                    post = (entry.fields["shelter_id"], entry.fields.get("post"))
                    found = (keys[entry.version], entry.fields["total"])
                    latest[post] = max(latest.get(post, found), found)
            total = sum(people for _, people in latest.values()) if latest else None
            shown = head_counts.people(machine.disk, str(city.INCIDENT), machine.now()).value
            self.expect(shown == total, f"{machine.name} shows {shown} people, the posts add up to {total}")


def _counts(fields: dict[str, object]) -> bool:
    total = fields.get("total")
    return fields.get("shelter_id") is not None and isinstance(total, int) and total >= 0
