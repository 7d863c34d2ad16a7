"""Native threads under gevent: who ends a node waits for them."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
from gevent import monkey
monkey.patch_all()
import gevent
from app.threads import in_native_thread, settle_native_threads
really = monkey.get_original("threading", "Event")
begun, go_on, done = really(), really(), []

def work():
    begun.set()
    go_on.wait(10)
    done.append("read to its end")

gevent.spawn(in_native_thread, work)
while not begun.is_set():
    gevent.sleep(0)
settle_native_threads(within_s=0.01)
print(len(done))
gevent.spawn_later(0.01, go_on.set)
settle_native_threads(within_s=10)
print(*done)
"""


RAISES = """
from gevent import monkey
monkey.patch_all()
from app import logs
import gevent
logs.start("info")
logs.hear_background_failures(gevent.get_hub())
from app.threads import in_native_thread

def refuse():
    raise LookupError("nobody told")

try:
    in_native_thread(refuse)
except LookupError as error:
    print("raised", error)
"""


def test_an_error_is_raised_where_it_was_asked_for_and_logged_by_nobody_else() -> None:
    finished = subprocess.run([sys.executable, "-c", RAISES], capture_output=True, text=True, timeout=60, check=True)
    assert (finished.stdout, finished.stderr) == ("raised nobody told\n", "")


def test_whoever_closes_waits_for_a_native_thread_that_still_reads_but_not_for_ever() -> None:
    finished = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout.split("\n")[:2] == ["0", "read to its end"]
