"""Compiled templates are kept beside their sources, as Python keeps compiled modules beside theirs.

Some 270 templates take about three seconds of processor time to compile, longer on a tablet, and a node that was
started again in the middle of the night has people waiting. Whoever may write here may change the program itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flask import Flask
from jinja2 import FileSystemBytecodeCache


def keep(app: Flask) -> None:
    """Keep what this application compiles; where Python keeps nothing or may not write, each start compiles anew."""
    folder = Path(app.root_path, "templates", "__pycache__")
    if not sys.dont_write_bytecode and _is_ours(folder):
        app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(folder))


def _is_ours(folder: Path) -> bool:
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
