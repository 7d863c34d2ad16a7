"""Keys and contents stay out of core dumps: the program's, and those of its children."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

resource = pytest.importorskip("resource", reason="Windows has no core limit")

SAY = "import ctypes, resource; print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
RUN_THE_PROGRAM = f"""
import sys
from app.__main__ import main
sys.argv = ["tomoshibi", "--version"]
try:
    main()
except SystemExit:
    {SAY}
"""
A_CHILD = """
import ctypes, resource
from app import child
child.serve(lambda request, progress: [
    list(resource.getrlimit(resource.RLIMIT_CORE)), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
])
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows processes that cannot be dumped")


@on_linux
def test_without_us_a_process_can_be_dumped() -> None:
    """Or the two tests below would prove nothing."""
    assert subprocess.check_output([sys.executable, "-c", SAY], text=True).rstrip().endswith(" 1")


@on_linux
def test_no_command_can_be_dumped_nor_looked_into() -> None:
    said = subprocess.check_output([sys.executable, "-c", RUN_THE_PROGRAM], text=True)
    assert said.splitlines()[-1] == "(0, 0) 0"


@on_linux
def test_no_child_that_works_on_a_strangers_file_can_be_dumped() -> None:
    asked = msgspec.msgpack.encode({"limits": {"memory_mb": 4096, "cpu_s": 60}, "request": {}})
    said = subprocess.run(
        [sys.executable, "-c", A_CHILD], input=len(asked).to_bytes(8, "big") + asked, capture_output=True, check=True
    ).stdout
    assert msgspec.msgpack.decode(said[8:]) == {"result": [[0, 0], 0]}
