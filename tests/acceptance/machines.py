"""Whole nodes for the acceptance suite: a replica, a writer and its links, without the application around them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from sync import limits, signing
from sync.blobs import Blobs
from sync.errands import Errands
from sync.hub import Hub
from sync.link import Link
from sync.log_reader import LogReader
from sync.operation import Change
from sync.peers import Peers
from sync.replica import Committed, Replica
from sync.signing import SigningKey
from sync.version_vector import Vector
from sync.wishes import Wish
from sync.writer import Writer, store_error
from tests.unit.sync.nodes import Time, connect, connect_blobs, make_replica, seed

HUB = signing.node_id_of(SigningKey(seed("hub")).public)


class InlineWriter:
    """A writer whose commits come when the test says: `held` keeps them back, `fail` breaks the next one."""

    def __init__(self, replica: Replica, on_commit: Callable[[Committed], None]) -> None:
        self.replica, self._on_commit = replica, on_commit
        self.held, self.fail, self.ops_max = False, 0, limits.BATCH_OPS_MAX
        self.waiting: list[tuple[Any, Future[Any]]] = []

    def submit(self, job: Any, weight: int = 1) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((job, future))
        return future

    def commit(self) -> bool:
        if self.held or not self.waiting:
            return False
        batch, self.waiting = self.waiting, []
        try:
            if self.fail:
                self.fail -= 1
                raise OSError(5, "input/output error")
            results, committed = self.replica.run_batch([job for job, _ in batch])
        except OSError as error:
            for _, future in batch:
                future.set_exception(store_error(error))
            return True
        for (_, future), result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        self._on_commit(committed)
        return True

    def call(self, job: Any, weight: int = 1) -> Any:
        future = self.submit(job, weight)
        while not future.done():
            self.commit()
        return future.result()


class InlineErrands:
    """Errands that are done when the test steps."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def submit(self, job: Callable[[], None]) -> None:
        self.waiting.append(job)

    def step(self) -> bool:
        if self.waiting:
            self.waiting.pop(0)()
            return True
        return False

    def stop(self) -> None:
        return


class Machine:
    """One node. With a folder it has a file and a writer's thread; without, it stands in memory."""

    def __init__(
        self,
        name: str,
        capabilities: Iterable[str],
        now: Callable[[], int],
        folder: Path | None = None,
        connection: Any = None,
    ) -> None:
        self.name, self.now, self.capabilities = name, now, tuple(capabilities)
        path = str(folder / f"{name}.db") if folder else ":memory:"
        self.connection = connection or connect(path)
        self.reader = self.connection
        if folder is not None:
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.reader = connect(path)
        self.replica = make_replica(name, capabilities, now=now, connection=self.connection)  # type: ignore[arg-type]
        self.published = self.replica.published()
        self.writer: Any = (
            Writer(self.replica, on_commit=self._committed) if folder else InlineWriter(self.replica, self._committed)
        )
        self._add_files(folder)
        chance = random.Random(f"links of {name}")
        self.peers = Peers(
            self.replica, self.writer, now, now, chance.randbytes, lambda: self.published,
            lambda: LogReader(self.reader), self.receipts_of, on_opened=lambda link, event: None,
            blobs=self.blobs, errands=self.errands.submit, later=self._later,
        )  # fmt: skip
        self.blobs.on_whole = lambda sha256: self.peers.files_came([sha256])
        self.blobs.on_want = self.peers.want
        self.hub = Hub(self.peers)

    def _add_files(self, folder: Path | None) -> None:
        path = str(folder / f"{self.name}.blobs") if folder else ":memory:"
        self.errands: Any = Errands() if folder else InlineErrands()
        self.blob_connection = connect_blobs(path)
        self.blob_reader = connect_blobs(path) if folder else self.blob_connection
        self.paused: list[Callable[[], None]] = []
        self.blobs = Blobs(
            self.blob_connection, lambda: self.blob_reader, node=self.node, now=self.now, hub=lambda: HUB
        )

    def _later(self, ms: int, call: Callable[[], None]) -> None:
        if isinstance(self.errands, Errands):
            timer = threading.Timer(ms / 1000, call)
            timer.daemon = True
            timer.start()
        else:
            self.paused.append(call)

    def _committed(self, committed: Committed) -> None:
        self.published = committed
        named = [key for key in committed.changed if key[0] == "reports"]
        if named:
            self.peers.wishes.add(wish for wish in self._named() if not self.blobs.has(wish.name.hex()))
        self.peers.wake()

    def _named(self) -> list[Wish]:
        """What this machine's own tables name: reports whose text is `photo <sha256> <size>`."""
        rows = self.connection.execute("SELECT text, order_key FROM reports WHERE text LIKE 'photo %'").fetchall()
        found = [(row[0].split(), row[1]) for row in rows]
        return [Wish(bytes.fromhex(words[1]), 1, at, int(words[2]), "image/jpeg") for words, at in found]

    def receipts_of(self, peer: bytes) -> Vector:
        rows = self.reader.execute(
            "SELECT stream.id, seq FROM receipt JOIN stream ON stream.no = receipt.stream WHERE peer = ?", (peer,)
        ).fetchall()
        return {bytes(stream): seq for stream, seq in rows}

    @property
    def node(self) -> bytes:
        return self.replica.identity.node_id

    def write(self, *changes: Change) -> Any:
        return self.writer.call(lambda replica: replica.record(changes, None))

    def digest(self) -> str:
        return str(self.writer.call(lambda replica: replica.public_digest(), 0))

    def sent_to(self, other: Machine) -> Vector:
        return self.receipts_of(other.node)

    def close(self) -> None:
        self.errands.stop()
        if isinstance(self.writer, Writer):
            self.writer.stop()
            self.blob_reader.close()
            self.blob_connection.close()
            self.reader.close()
            self.connection.close()


class Cable:
    """Two links of the simulated network: frames arrive in order, unless the test bends them."""

    def __init__(self, caller: Machine, called: Machine, bend: Callable[[bytes], list[bytes]] | None = None) -> None:
        self.caller, self.called, self.bend = caller, called, bend
        self.up, self.closing = True, False
        self.flying: list[tuple[int, bytes]] = []  # (0 to the called, 1 to the caller)
        self.log: list[tuple[int, bytes]] = []
        self.links = [
            called.peers.new_link(caller=False, send=lambda frame: self._send(1, frame), hang_up=self.hang_up),
            caller.peers.new_link(caller=True, send=lambda frame: self._send(0, frame), hang_up=self.hang_up),
        ]

    def open(self) -> None:
        for link in self.links:
            link.open()

    def _send(self, to: int, frame: bytes) -> None:
        if self.up and not self.closing:
            self.log.append((to, frame))
            self.flying += [(to, bent) for bent in (self.bend(frame) if self.bend else [frame])]

    def step(self) -> bool:
        if not self.flying or not self.up:
            self.up = self.up and not self.closing
            return False
        to, frame = self.flying.pop(0)
        self.links[to].received(frame)
        return True

    def hang_up(self) -> None:
        """An orderly end: what was sent still arrives."""
        self.closing = True

    def cut(self) -> None:
        self.up = False

    def finish(self) -> None:
        for link in self.links:
            link.down()

    def link_of(self, machine: Machine) -> Link:
        return self.links[0] if machine is self.called else self.links[1]


class SimulatedWire:
    """Virtual time, one thread, no sockets."""

    def __init__(self) -> None:
        self.time = Time()
        self.machines: list[Machine] = []
        self.cables: list[Cable] = []

    def machine(self, name: str, capabilities: Iterable[str] = ("field", "command", "enrol")) -> Machine:
        self.machines.append(Machine(name, capabilities, self.time))
        return self.machines[-1]

    def connect(self, caller: Machine, called: Machine, bend: Any = None) -> Cable:
        cable = Cable(caller, called, bend)
        self.cables.append(cable)
        cable.open()
        return cable

    def cut(self, cable: Any) -> None:
        cable.cut()
        cable.finish()

    def settle(self, rounds: int = 20_000) -> None:
        for _ in range(rounds):
            moved = any(cable.step() for cable in self.cables)
            moved = any(machine.writer.commit() for machine in self.machines) or moved
            moved = any(machine.errands.step() for machine in self.machines) or moved
            for cable in self.cables:
                if not cable.up:
                    cable.finish()
            if not moved:
                return
        raise AssertionError("the network does not come to rest: something is resent for ever")

    def until(self, condition: Callable[[], bool]) -> None:
        self.settle()
        assert condition()

    def until_moving(self, condition: Callable[[], bool]) -> None:
        """The same in the middle of what moves."""
        for _ in range(20_000):
            if condition():
                return
            any(cable.step() for cable in self.cables)
            any(machine.writer.commit() for machine in self.machines)
            any(machine.errands.step() for machine in self.machines)
        raise AssertionError("it did not come about")

    def tick(self, ms: int) -> None:
        self.time.ms += ms
        for machine in self.machines:
            paused, machine.paused = machine.paused, []
            for call in paused:
                call()
            machine.peers.tick()
        self.settle()

    def close(self) -> None:
        for machine in self.machines:
            machine.connection.close()
