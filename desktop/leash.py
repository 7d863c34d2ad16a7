"""Holds the node for the window: `python -m desktop.leash COMMAND…` runs it and ends it when stdin closes.

The window process keeps the other end of stdin open and never writes. However it goes, by closing the window,
by a crash or by `kill -9`, the system closes that end, and the node is ended here, gently first. A
parent-death signal would be shorter, but it exists on Linux only, hangs on the thread that started the child,
and cannot wait before it kills. Imports nothing of ours: it must start at once and outlive everything else.
"""

import os
import signal
import subprocess
import sys
import threading

STOP_WAIT_S = 5.0


def main(command: list[str]) -> int:
    """Run the command until it ends or stdin closes; return its exit status."""
    node = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    # A polite end of this process is an end of the node too.
    signal.signal(signal.SIGTERM, lambda *_: _end(node))
    threading.Thread(target=_end_when_let_go, args=(node,), daemon=True).start()
    return node.wait()


def _end_when_let_go(node: subprocess.Popen[bytes]) -> None:
    # not sys.stdin: a thread that waits in a buffered reader makes the interpreter abort at its end
    while os.read(0, 1024):
        pass
    _end(node)


def _end(node: subprocess.Popen[bytes]) -> None:
    node.terminate()
    killer = threading.Timer(STOP_WAIT_S, node.kill)
    killer.daemon = True
    killer.start()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # a node ended by signal N has -N; a shell would say 128 + N
    sys.exit(status if status >= 0 else 128 - status)
