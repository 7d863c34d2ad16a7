"""Every screen can be drawn as the node knew it: the log folded up to an earlier end gives the tables of then."""

from __future__ import annotations

from dataclasses import dataclass

import sqlcipher3

from app.records import KINDS
from app.records.judge import judge
from app.store.projection import SqlProjection
from app.store.schema import create_statements
from sync import digest, frontiers, oplog, refold
from sync.replica import Committed
from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine

NIGHTS = 8  # one night in so many: a fold costs a tenth of a second
EVERY = 25  # commits of a node, from one that is remembered to the next
READ_FROM_THE_LOG = ("stream", "op", "certificate", "branch", "receipt_step")


@dataclass(frozen=True, slots=True)
class Moment:
    position: int
    shown: str
    branches: int


class Replayed(Checker):
    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._counted: dict[str, int] = {}
        self._seen: dict[str, list[Moment]] = {}

    def committed(self, machine: Machine, committed: Committed) -> None:
        if self.world.seed % NIGHTS or machine.hostile or machine.release != "this":
            return
        self._counted[machine.name] = counted = self._counted.get(machine.name, 0) + 1
        if counted % EVERY == 0:
            self._seen.setdefault(machine.name, []).append(_moment(machine))

    def started(self, machine: Machine) -> None:
        """What an older copy or an upgrade shows is no longer what was shown before."""
        self._seen.pop(machine.name, None)

    def settled(self) -> None:
        for machine in self.world.honest[:2]:
            moments = self._seen.get(machine.name, [])
            now = _moment(machine)
            for moment in {now, *moments[len(moments) // 2 :][:1]} if machine.release == "this" else ():
                if moment.branches == now.branches:  # a fork that is known changes what counts of the past, too
                    found = _folded(machine, moment.position)
                    self.expect(found == moment.shown, f"{machine.name} replays {moment.position} as something else")


def _moment(machine: Machine) -> Moment:
    branches = machine.disk.execute("SELECT count(*) FROM branch").fetchone()[0]
    return Moment(machine.replica.position, machine.replica.public_digest(), branches)


def _folded(machine: Machine, position: int) -> str:
    laid = sqlcipher3.connect(":memory:", isolation_level=None)
    laid.execute("ATTACH DATABASE ':memory:' AS log")
    for name in READ_FROM_THE_LOG:
        columns = [row[1] for row in machine.disk.execute(f"PRAGMA table_info({name})").fetchall()]
        laid.execute(f"CREATE TABLE log.{name} ({', '.join(columns)})")
        rows = machine.disk.execute(f"SELECT * FROM {name}").fetchall()
        laid.executemany(f"INSERT INTO log.{name} VALUES ({', '.join('?' * len(columns))})", rows)
    laid.execute("CREATE INDEX log.by_stream ON op (stream, seq)")
    for statement in (*create_statements(KINDS), *refold.create_statements()):
        laid.execute(statement)
    refold.set_cut(laid, frontiers.held_up_to(machine.disk, position))
    refold.lay_over(laid, "log", 1 << 60)
    refold.fold(laid, KINDS, judge, SqlProjection(laid, KINDS), machine.node)
    found = digest.total(oplog.sums(laid).values()).to_bytes(16, "big").hex()
    laid.close()
    return found
