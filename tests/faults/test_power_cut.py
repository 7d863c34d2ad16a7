"""Power cuts at any moment of a hub's life, from its making to its last commit: nothing it has told anybody is lost.

`kill -9` cannot show this, for the kernel keeps what was written: here a record of the calls is cut anywhere, and only
what was synced is sure to be there (``disk.py``). Each state is opened by the real store, as at a start.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.shim import ROOT, compiled, finished, memory_folder, start

STATES, PROCESSES, TEETH = 20_000, 2, 600
pytestmark = pytest.mark.deep


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    place = memory_folder(tmp_path)
    yield place
    if place != tmp_path:
        shutil.rmtree(place)


def recorded(work: Path, folder: Path, synchronous: str) -> Path:
    """The trace of a hub at work; it stays in the test's own folder, so that a state can be looked at again."""
    trace = folder / f"{synchronous}.trace"
    told = finished(start(compiled(folder), "tests.faults.recording", work / synchronous, trace, synchronous), 120)
    assert int(told) > 100
    return trace


def tried(trace: Path, work: Path, seed: int, count: int, *more: str) -> dict[str, Any]:
    share = count // PROCESSES
    running = [
        subprocess.Popen(
            [
                sys.executable, "-m", "tests.faults.states", str(trace), str(work / f"states{number}"), str(seed),
                str(number * share), str((number + 1) * share), *more,
            ],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    found = [json.loads(finished(process, 1_500)) for process in running]
    return {
        "states": sum(one["states"] for one in found),
        "lost": sum(one["lost"] for one in found),
        "faults": [fault for one in found for fault in one["faults"]],
    }


def drawn_seed() -> int:
    seed = int(os.environ.get("TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"TEST_SEED={seed}")
    return seed


@pytest.mark.timeout(1_800)
def test_nothing_told_is_lost_in_20000_power_cuts(tmp_path: Path, work: Path) -> None:
    trace, seed = recorded(work, tmp_path, "FULL"), drawn_seed()
    found = tried(trace, work, seed, STATES)
    print(f"{found['states']} states, {found['lost']} lost; trace {trace}")
    assert found["states"] == STATES
    assert found["lost"] == 0, f"seed {seed}, trace {trace}:\n" + "\n".join(found["faults"])


@pytest.mark.timeout(600)
def test_the_same_power_cuts_lose_rows_where_commits_are_not_synced(tmp_path: Path, work: Path) -> None:
    found = tried(recorded(work, tmp_path, "NORMAL"), work, drawn_seed(), TEETH)
    print(f"synchronous = NORMAL: {found['lost']} of {found['states']} states lost something")
    assert found["lost"] > TEETH // 10, "the test would not notice that the disk is not asked"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [".db-wal", "tomoshibi.db"])
def test_the_same_power_cuts_lose_rows_on_a_disk_that_lies(tmp_path: Path, work: Path, name: str) -> None:
    found = tried(recorded(work, tmp_path, "FULL"), work, drawn_seed(), TEETH, name)
    print(f"syncs of *{name} ignored: {found['lost']} of {found['states']} states lost something")
    assert found["lost"] > TEETH // 20
