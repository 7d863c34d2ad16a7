"""What this process holds in memory stays out of core dumps, its own and its children's.

Called first of all by ``__main__`` and by each child that works on a stranger's file: keys and what people wrote would
lie in a dump in clear, wherever the machine puts it. On Linux no other process of the same user may look in, either.
"""

from __future__ import annotations

import ctypes
import sys

SET_DUMPABLE = 4  # of prctl(2); it ends with execve, so each program asks for itself


def keep_off_the_disk() -> None:
    try:
        import resource
    except ImportError:
        return  # Windows writes no dumps unless an administrator asked for them
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # inherited by every child
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)
