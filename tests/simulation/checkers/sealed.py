"""Who has the key shows what the plain model shows of what it opens; who has not holds nothing of it in clear."""

from __future__ import annotations

from dataclasses import replace

from app.records import KINDS, damage_report_people
from sync import seal
from sync.kinds import SHRED_ORDERS
from sync.operation import Operation
from tests.simulation import model
from tests.simulation.checkers import Checker
from tests.simulation.machine import Machine
from tests.simulation.sealing import CANARY, wrapped_on

KIND = KINDS.by_name[damage_report_people.KIND.name]


class Sealed(Checker):
    def settled(self) -> None:
        group = [machine for machine in self.world.settled_group if machine.release == "this"]
        keys = sorted({one for machine in self.world.honest for one in wrapped_on(machine)})
        digests = set()
        for machine in group if keys else ():
            _, committed = machine.replica.run_batch([lambda replica: replica.keep_wrapped(keys)])
            del committed
            digests.add(machine.replica.public_digest())
            self._compare(machine)
        self.expect(len(digests) < 2, "who can open more has another public digest")

    def _compare(self, machine: Machine) -> None:
        keyring, rows = machine.replica.keyring, list(machine.replica.projection.rows(KIND))
        orders = [op for op in self.world.held(machine).counting() if op.kind == SHRED_ORDERS.name]
        gone = {key for op in orders for key in op.fields.get("keys", ())}
        self.expect(not keyring.secrets.keys() & gone, f"{machine.name} still has a key that was shredded")
        wanted = model.records(self._opened(machine), KIND)
        found = {(KIND.name, scope, record): row for scope, record, row in rows}
        self.expect(found.keys() == wanted.keys(), f"{machine.name} opens other records than its keys open")
        for key, row in found.items() if found.keys() == wanted.keys() else ():
            values = {name: value for name, value in wanted[key].values.items() if value is not None}
            shown = {name: value for name, value in row.values.items() if value is not None}
            self.expect(shown == values, f"{machine.name} shows {shown}, not {values}")
            told = f"{machine.name}: {row.conflicts} conflicts, hidden {row.hidden}, by the model {wanted[key]}"
            self.expect((row.conflicts, row.hidden) == (len(wanted[key].conflicts), wanted[key].hidden), told)
        if not keyring.secrets:
            held = [row[0] for row in machine.disk.execute("SELECT body FROM op").fetchall()]
            self.expect(not rows, f"{machine.name} shows what it has no key for")
            self.expect(not any(CANARY.encode() in bytes(body) for body in held), "a name stands in the log in clear")

    def _opened(self, machine: Machine) -> model.Held:
        """What the log says where each operation that can be opened is opened."""
        held, secrets = self.world.held(machine), machine.replica.keyring.secrets
        found: list[Operation] = []
        for operation in held.operations:
            if operation.kind == KIND.name and (secret := secrets.get(operation.fields.get("key") or b"")):
                node = held.nodes[model.stream_of(operation)]
                opened = seal.open_sealed(operation, secret, node)
                found += [opened] if opened is not None else []
        return replace(held, operations=found)
