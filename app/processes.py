"""Nodes as processes of their own, driven by the command line: for the demo and the benchmarks."""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import requests

from app.errors import CommandFailed

READY_S_MAX = 30


@contextlib.contextmanager
def serving(home: Path, ports: Mapping[str, int]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Serve each node on its port until the block ends; their output goes to ``<name>.log`` beside the folders."""
    running: list[subprocess.Popen[bytes]] = []
    previous = signal.signal(signal.SIGTERM, lambda *_: _interrupt())
    try:
        for name, port in ports.items():
            with (home / f"{name}.log").open("ab") as log:
                running.append(serve(home / name, port, log))
        for (name, port), process in zip(ports.items(), running, strict=True):
            await_ready(name, port, process, home / f"{name}.log")
        yield running
    finally:
        signal.signal(signal.SIGTERM, previous)
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def serve(home: Path, port: int, log: IO[bytes], *more: str) -> subprocess.Popen[bytes]:
    return start(["app", "--home", str(home), "serve", "--port", str(port), *more], log)


def start(module: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Run a module of this program with its arguments; it ends with this process, however that ends."""
    die_with_us = _end_with_parent if sys.platform == "linux" else None
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_us,
    )  # fmt: skip


def _end_with_parent() -> None:
    """So that a demo that was killed leaves no node behind."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def await_ready(name: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S_MAX
    session = requests.Session()
    session.trust_env = False
    while time.monotonic() < deadline:
        if process.poll() is not None:
            tail = log.read_text("utf-8", "replace")[-500:].strip()
            raise CommandFailed("demo_failed", f"{name} ended: {tail}", f"See {log}.")
        try:
            if session.get(f"{url(port)}/healthz", timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise CommandFailed("demo_failed", f"{name} did not answer within {READY_S_MAX} s", f"See {log}.")


def command(home: Path, *arguments: str, text: str | None = None) -> Any:
    """Run a command of this program; its JSON, or its text."""
    finished = subprocess.run(
        [sys.executable, "-m", "app", "--home", str(home), *arguments],
        input=text, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if finished.returncode:
        raise CommandFailed("demo_failed", finished.stderr.strip(), "Free the folder or name another with --dir.")
    return json.loads(finished.stdout) if "--json" in arguments else finished.stdout.strip()


def refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandFailed("port_in_use", f"port {port} is in use", "Name another with --port.") from error


def url(port: int) -> str:
    # By name: a browser gives position and camera to localhost, and cookies of the nodes are told apart by their names.
    return f"http://localhost:{port}"


def _interrupt() -> None:
    raise KeyboardInterrupt
