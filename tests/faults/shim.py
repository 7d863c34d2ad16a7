"""The shim between a process and its disk: compiled here, loaded before libc into a child that a test starts."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_name("shim.c")
WRITES, SYNCS, TRUNCATES, READS = 1, 2, 4, 8
REFUSED, SHORT, TORN = 0, 1, 2
EIO, ENOSPC = errno.EIO, errno.ENOSPC


def compiled(folder: Path) -> Path:
    """The shim as a library; skips where it cannot be built or loaded."""
    if sys.platform != "linux":
        pytest.skip("the shim is for Linux")
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    library = folder / "shim.so"
    subprocess.run(
        [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE)],
        check=True,
    )
    return library


def start(library: Path, module: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python module of the tests in a process of its own, with the shim in it; it prints to its stdout."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TOMOSHIBI_")}
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT, env=environment | {"LD_PRELOAD": str(library)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(process: subprocess.Popen[str], within_s: float) -> str:
    """What it printed, once it has ended well."""
    try:
        output, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == 0, f"{process.args} ended with {process.returncode}: {output[-2000:]}"
    return output


class Shim:
    """The loaded shim, from inside the child."""

    def __init__(self, root: Path) -> None:
        self._library = ctypes.CDLL(None)
        self._library.faults_seen.restype = self._library.faults_hit.restype = ctypes.c_long
        self._library.faults_root(os.fsencode(root))

    def trace(self, path: Path) -> None:
        if self._library.faults_trace(os.fsencode(path)):
            raise OSError(f"no trace can be written to {path}")

    def told(self, text: str) -> None:
        """Somebody was told of it: from here on it may not be lost."""
        self._library.faults_told(text.encode())

    def arm(self, kinds: int, nth: int, how: int = REFUSED, error: int = EIO, lasting: bool = False) -> None:
        """Let the ``nth`` call of these kinds fail from now on; with ``lasting`` all that follow, too."""
        self._library.faults_arm(kinds, ctypes.c_long(nth), how, error, int(lasting))

    def disarm(self) -> None:
        """Let nothing fail any more; ``seen`` and ``hit`` stay."""
        self._library.faults_disarm()

    @property
    def seen(self) -> int:
        return int(self._library.faults_seen())

    @property
    def hit(self) -> int:
        return int(self._library.faults_hit())


def memory_folder(otherwise: Path) -> Path:
    """A folder in memory where there is one: thousands of states are written and thrown away."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        return otherwise
    place = shared / f"tomoshibi-faults-{os.getpid()}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    return place
