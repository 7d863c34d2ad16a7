"""States of a disk after a power cut, each opened with the real store and checked. Run as a child, or by hand.

Arguments: the trace, a folder to work in, the seed, the first state's number, the number after the last; then, if
anything, the end of the names of files whose syncs are to be ignored. One line of JSON: states, lost, faults.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from app import digests
from app.bench import stage
from app.node import Node
from app.records.noun import scope_of
from app.store.errors import StoreError
from sync.authoring import Recorded
from tests.faults.disk import Disk, Event, read_trace
from tests.faults.recording import opened

FAULTS_SHOWN = 5


def states(
    events: list[Event], seed: int, numbers: range, ignored_syncs: str = ""
) -> Iterator[tuple[int, int, dict[str, bytes], list[str]]]:
    """(number, place of the cut, files, what was told before it) of each state, in the order of the cuts."""
    draws = {number: random.Random(f"{seed}:{number}") for number in numbers}
    cuts = sorted((draws[number].randrange(len(events) + 1), number) for number in numbers)
    disk, at = Disk(ignored_syncs=ignored_syncs), 0
    for cut, number in cuts:
        for event in events[at:cut]:
            disk.take(event)
        at = cut
        yield number, cut, disk.after_a_cut(draws[number]), disk.told


def fault_of(home: Path, told: list[str], thorough: bool) -> str:
    """What is wrong with a state, opened as at a start; the empty string where nothing is."""
    try:
        node = opened(home)
    except StoreError as error:
        return f"it does not open: {error.code}: {error}" if told else ""
    except Exception as error:
        return f"it does not open, and says it badly: {type(error).__name__}: {error}"
    try:
        return _lost(node, told) or _damage(node, thorough) or _stuck(node)
    except Exception as error:
        return f"it cannot be read: {type(error).__name__}: {error}"
    finally:
        node.close()


def _lost(node: Node, told: list[str]) -> str:
    last: dict[str, int] = {}
    photos: list[str] = []
    for text in told:
        first, _, second = text.partition(" ")
        if first == "photo":
            photos.append(second)
        elif second:
            last[first] = max(last.get(first, 0), int(second))
    held = {stream.hex(): seq for stream, seq in node.replica.vector.items()}
    for stream, seq in last.items():
        if held.get(stream, 0) < seq:
            return f"lost: {stream[:8]} ends at {held.get(stream, 0)}, {seq} was told"
    rows = node.replica.connection.execute("SELECT count(*) FROM op").fetchone()[0]
    if rows != sum(held.values()):
        return f"lost: {rows} operations in streams of {sum(held.values())}"
    for photo in photos:
        if not node.blobs.has(photo) or hashlib.sha256(node.blobs.read(photo)).hexdigest() != photo:
            return f"lost: the photo {photo[:8]}"
    return ""


def _damage(node: Node, thorough: bool) -> str:
    connection = node.reader()
    found = [node.blobs.fault] if node.blobs.fault else []
    if thorough:
        found += node.store_faults() + node.blob_faults()
        found += [str(row[0]) for row in connection.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]
        if digests.recomputed(connection)["public"] != digests.kept(connection):
            found.append("the tables are not what their digest says")
    else:
        found += [str(row[0]) for row in connection.execute("PRAGMA quick_check").fetchall() if row[0] != "ok"]
    return f"damaged: {found[0].splitlines()[0]}" if found else ""


def _stuck(node: Node) -> str:
    """Whether it goes on: one more report, in a place that nobody was told of before."""
    scope = scope_of("drill", "0190b8a0-0000-7000-8000-000000000001")
    try:
        result = node.write(list(stage.reports(scope, 1)), None)
    except Exception as error:
        return f"stuck: {type(error).__name__}: {error}"
    return "" if isinstance(result, Recorded) else f"stuck: {result}"


def main(trace: Path, work: Path, seed: int, first: int, end: int, ignored_syncs: str = "") -> None:
    events = read_trace(trace.read_bytes())
    lost, shown, kinds = 0, [], Counter[str]()
    for number, cut, files, told in states(events, seed, range(first, end), ignored_syncs):
        home = work / "state"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True, mode=0o700)
        for name, content in files.items():
            (home / name).write_bytes(content)
        fault = fault_of(home, told, thorough=number % 20 == 0)
        if fault:
            lost += 1
            kinds[fault.split(":")[0]] += 1
            if len(shown) < FAULTS_SHOWN:
                shown.append(f"state {number} (cut at {cut} of {len(events)}, {len(told)} told): {fault}")
    print(json.dumps({"states": end - first, "lost": lost, "kinds": kinds, "faults": shown}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6]), *sys.argv[6:])
