"""The disk is asked before anybody is told: a system-call trace of 200 acknowledged posts.

`kill -9` cannot tell FULL from OFF, since the kernel keeps what was written; a trace can.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.integration.cluster import NodeProcess, add_person, eventually, report_document

POSTS = 200
DONE = re.compile(r"<\.\.\. f(?:data)?sync resumed>.*= 0|f(?:data)?sync\(\d+<[^>]*tomoshibi\.db-wal>\)\s*= 0")
ANSWERED = re.compile(r'\b(?:sendto|send|write)\(\d+<[^>]*>, "HTTP/1\.1 201 ')


def unsynced_answers(trace: list[str]) -> list[int]:
    """The numbers of the answers "201" before which, since the answer before, no sync of the log had ended."""
    faults: list[int] = []
    answers, synced = 0, False
    for line in trace:
        if DONE.search(line):
            synced = True
        elif ANSWERED.search(line):
            answers += 1
            if not synced:
                faults.append(answers)
            synced = False
    assert answers, "the trace shows no answer"
    return faults


def test_the_checker_sees_an_answer_that_came_before_the_sync() -> None:
    sync = "1 fdatasync(9</h/tomoshibi.db-wal>) = 0"
    answer = '1 sendto(12<TCP:[1]>, "HTTP/1.1 201 CREATED\\r\\n", 99, 0, NULL, 0) = 99'
    split = ["1 fdatasync(9</h/tomoshibi.db-wal> <unfinished ...>", "1 <... fdatasync resumed>) = 0"]
    assert unsynced_answers([sync, answer, *split, answer]) == []
    assert unsynced_answers([sync, answer, answer]) == [2]
    assert unsynced_answers([answer, sync]) == [1]
    assert unsynced_answers([split[0], answer, split[1]]) == [1]


@pytest.mark.deep
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_each_of_200_answers_comes_after_a_sync_of_the_log(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    hub = NodeProcess("hub", tmp_path / "hub")
    hub.command("init", "--role", "hub", "--name", "本部", "--json")
    calls = "trace=fsync,fdatasync,sendto,write"
    hub.prefix = ("strace", "-f", "-y", "-s", "48", "-e", calls, "-o", str(trace))
    hub.start()
    try:
        add_person(hub, "統括", "commander")
        incident = hub.post("incidents", {"name": "訓練", "mode": "drill", "kind": "flood"})["id"]
        eventually(lambda: "HTTP/1.1 201 " in trace.read_text("utf-8", "replace"), 10, "the trace shows the answer")
        before = trace.stat().st_size
        for number in range(POSTS):
            hub.post("damage-reports", report_document(incident, f"報告 {number}"))
    finally:
        hub.stop()
    with trace.open("rb") as file:
        file.seek(before)
        lines = file.read().decode("utf-8", "replace").splitlines()
    answers = sum(bool(ANSWERED.search(line)) for line in lines)
    assert answers == POSTS
    assert unsynced_answers(lines) == []
    print(f"{answers} answers, each after a sync of the log")
