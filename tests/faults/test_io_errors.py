"""A disk that refuses a call (EIO, ENOSPC, a read, a short or torn write) anywhere in a hub's making, start and work.

Nothing told is lost, nobody is told of what was not kept, the node says store_full or store_failed, and goes on when
the disk is well again; of every second run the disk is also looked at as `kill -9` would leave it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.shim import compiled, finished, memory_folder, start

RUNS, PROCESSES = 2_500, 2


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    place = memory_folder(tmp_path)
    yield place
    if place != tmp_path:
        shutil.rmtree(place)


@pytest.mark.deep
@pytest.mark.timeout(1_800)
def test_nothing_told_is_lost_and_nothing_lost_is_told_in_2500_runs(tmp_path: Path, work: Path) -> None:
    library = compiled(tmp_path)
    running = [
        start(library, "tests.faults.refusals", work / str(number), number, PROCESSES, RUNS)
        for number in range(PROCESSES)
    ]
    found = [json.loads(finished(process, 1_500)) for process in running]
    runs, hit, wrong = (sum(one[name] for one in found) for name in ("runs", "hit", "wrong"))
    print(f"{runs} runs, {hit} with a call that failed, {wrong} wrong; said: {found[0]['said']}")
    assert wrong == 0, "\n".join(fault for one in found for fault in one["faults"])
    assert runs >= RUNS and hit >= RUNS * 9 // 10
    assert {"write: store_full", "write: store_failed", "photo: store_failed"} <= set(found[0]["said"])
