"""`kill -9` at every step of a rekeying of a real node: the old or the new stands whole, and nothing lies about."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.node import Node


@pytest.mark.deep
@pytest.mark.skipif(sys.platform == "win32", reason="kills a forked child")
def test_killed_at_every_step_it_leaves_the_old_or_the_new_whole(hub: Node, tmp_path: Path) -> None:
    operations = hub.reader().execute("SELECT count(*) FROM op").fetchone()[0]
    hub.close()
    program = [sys.executable, "-m", "tests.unit.app.killed_rekey", str(hub.home), str(tmp_path / "trials")]
    said = subprocess.run(program, capture_output=True, text=True, check=True, timeout=600).stdout
    found: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
    assert all(one["faults"] == [] and one["left"] == [] for one in found), found
    assert {one["operations"] for one in found} == {operations} and operations > 0
    keys = [one["key"] for one in found]
    assert keys == sorted(keys, reverse=True), "old up to one step, new from there on"
    assert set(keys) == {"old", "new"} and found[-1]["ended"] and len(found) > 20
