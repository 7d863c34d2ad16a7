"""A hub whose disk refuses one call, or all from one on: what it says, what it keeps, and how it goes on. A child.

Arguments: a folder to work in, the number of this process, of how many, and the runs wanted in all. One line of JSON.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from app.bench import stage
from app.errors import AppError
from app.node import Node
from sync.authoring import Recorded
from sync.errors import StoreFailed, StoreFull, SyncError
from sync.operation import Change
from tests.faults import states
from tests.faults.recording import born, opened
from tests.faults.shim import EIO, ENOSPC, READS, REFUSED, SHORT, SYNCS, TORN, TRUNCATES, WRITES, Shim

KINDS = {"read": READS, "write": WRITES, "sync": SYNCS, "truncate": TRUNCATES, "any": WRITES | SYNCS | TRUNCATES}
FAULTS = (  # (call, how it fails, with which error, all that follow too)
    ("sync", REFUSED, EIO, False), ("sync", REFUSED, EIO, True), ("sync", REFUSED, ENOSPC, False),
    ("truncate", REFUSED, EIO, False), ("truncate", REFUSED, EIO, True),
    ("write", REFUSED, EIO, False), ("write", REFUSED, ENOSPC, False), ("write", SHORT, 0, False),
    ("write", TORN, EIO, False), ("write", TORN, ENOSPC, True),
    ("read", REFUSED, EIO, False), ("read", REFUSED, EIO, True),
    ("any", REFUSED, EIO, True), ("any", REFUSED, ENOSPC, True),
)  # fmt: skip
REPORTS, CHECKPOINT_PAGES = 12, 25
FAULTS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Run:
    act: str  # "work" on an open node, or "open": from the start on, or "init": the making of a node
    call: str
    how: int
    error: int
    lasting: bool
    nth: int

    def text(self) -> str:
        how = {REFUSED: "refused", SHORT: "short", TORN: "torn"}[self.how]
        return f"{self.act}: {self.call} {self.nth}{' and later' if self.lasting else ''} {how} (errno {self.error})"


class Trial:
    """One template of a hub, and the runs on copies of it."""

    def __init__(self, work: Path) -> None:
        work.mkdir(parents=True)
        self.shim = Shim(work)
        self.template, self.home, self.killed = work / "template", work / "home", work / "killed"
        born(self.template)
        node = opened(self.template)
        _, self.scope = stage.open_incident(node)
        stage.fill(node, self.scope, 30)
        node.close()
        self.said: Counter[str] = Counter()

    def calls(self, act: str, call: str) -> int:
        """How many such calls an act makes where nothing fails."""
        assert self.fault_of(Run(act, call, REFUSED, 0, False, 1 << 40)) == ""
        return self.shim.seen

    def fault_of(self, run: Run) -> str:
        """What a run has shown to be wrong; the empty string where nothing is."""
        for place in (self.home, self.killed):
            shutil.rmtree(place, ignore_errors=True)
        try:
            return self._made(run) if run.act == "init" else self._worked(run)
        finally:
            self.shim.disarm()

    def _made(self, run: Run) -> str:
        self._arm(run)
        try:
            born(self.home)
        except Exception as error:
            self.shim.disarm()
            if fault := self._wording(run, error):
                return fault
            born(self.home)  # what was begun was taken away again
        self.shim.disarm()
        return states.fault_of(self.home, ["born"], thorough=True)

    def _worked(self, run: Run) -> str:
        shutil.copytree(self.template, self.home)
        told = ["born"]
        if run.act == "open":
            self._arm(run)
        try:
            node = opened(self.home)
        except Exception as error:
            self.shim.disarm()
            return self._wording(run, error) or states.fault_of(self.home, told, thorough=True)
        try:
            node.replica.connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}").fetchall()  # type: ignore[attr-defined]
            if run.act == "work":
                self._arm(run)
            fault = self._write(node, told)
            if run.nth % 2:
                shutil.copytree(self.home, self.killed, ignore=shutil.ignore_patterns("*-shm"))
            told_then = list(told)
            if run.nth % 3:  # else it is closed while the disk still refuses
                self.shim.disarm()
                fault = fault or self._goes_on(node, told)
        finally:
            node.close()
            self.shim.disarm()
        if not fault and self.killed.exists():
            fault = states.fault_of(self.killed, told_then, thorough=False)
            fault = fault and f"killed at once, {fault}"
        return fault or states.fault_of(self.home, told, thorough=True)

    def _arm(self, run: Run) -> None:
        self.shim.arm(KINDS[run.call], run.nth, run.how, run.error, run.lasting)

    def _wording(self, run: Run, error: Exception) -> str:
        """An error is ours, with a code and a hint, or the system's, which the command line says in one line."""
        if isinstance(error, AppError | SyncError) and error.hint:
            self.said[f"{run.act}: {error.code}"] += 1
            return ""
        if isinstance(error, OSError):
            self.said[f"{run.act}: errno {error.errno}"] += 1
            return ""
        return f"it says it badly: {type(error).__name__}: {error}"

    def _write(self, node: Node, told: list[str]) -> str:
        """Reports from two threads and a photo; what is refused is refused as full or failed, and nothing else."""
        changes = list(stage.reports(self.scope, REPORTS))
        faults: list[str] = []

        def write(share: list[Change]) -> None:
            for change in share:
                if fault := self._one(node, [change], told):
                    faults.append(fault)

        threads = [threading.Thread(target=write, args=(changes[first::2],)) for first in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        try:
            told.append("photo " + node.blobs.put(random.randbytes(6_000), "image/jpeg"))
        except (StoreFull, StoreFailed) as error:
            self.said[f"photo: {error.code}"] += 1
        return faults[0] if faults else ""

    def _one(self, node: Node, changes: list[Change], told: list[str]) -> str:
        try:
            result = node.write(changes, None)
        except (StoreFull, StoreFailed) as error:
            self.said[f"write: {error.code}"] += 1
            return ""
        except Exception as error:
            return f"it says it badly: {type(error).__name__}: {error}"
        if not isinstance(result, Recorded):
            return f"it was not written: {result}"
        told.extend(f"{stream.hex()} {seq}" for stream, seq in result.versions)
        return ""

    def _goes_on(self, node: Node, told: list[str]) -> str:
        """The disk is well again: the node that is open writes, at the second try if what was open met the fault."""
        before = len(told)
        for _ in range(2):
            if fault := self._one(node, list(stage.reports(self.scope, 1)), told):
                return fault
            if len(told) > before:
                return ""
        return "the disk is well again, and the node goes on refusing"


def runs(trial: Trial, wanted: int) -> list[Run]:
    """Every n-th call of every kind, as far as there are; of the many writes an even choice."""
    every: list[list[Run]] = []
    for act in ("work", "open", "init"):
        for call, how, error, lasting in FAULTS:
            count = trial.calls(act, call)
            every.append([Run(act, call, how, error, lasting, nth) for nth in range(1, count + 1)])
    share, chosen = wanted, []
    every.sort(key=len)
    for left, listed in zip(range(len(every), 0, -1), every, strict=True):
        take = min(len(listed), -(-share // left))
        step = len(listed) / take if take else 1
        chosen += [listed[int(at * step)] for at in range(take)]
        share -= take
    return chosen


def main(work: Path, process: int, processes: int, wanted: int) -> None:
    trial = Trial(work)
    mine = runs(trial, wanted)[process::processes]
    trial.said.clear()
    found, hit = [], 0
    for run in mine:
        fault = trial.fault_of(run)
        hit += bool(trial.shim.hit)
        if fault:
            found.append(f"{run.text()}: {fault}")
    told = {"runs": len(mine), "hit": hit, "wrong": len(found), "said": trial.said, "faults": found[:FAULTS_SHOWN]}
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
