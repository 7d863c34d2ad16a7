"""Addresses of the past: `/replay/node-1796000000000/…` is the page `…` as this node knew it at that time.

A prefix and no parameter: whatever a page or a script builds upon an address stays within the same time. Before: the
server. After: `views/replay`, which puts the past in the node's place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from app.replay.past import View

KEY = "tomoshibi.view"
_ADDRESS = re.compile(r"/replay/(node|hub)-(\d{1,13})(?=/)", re.ASCII)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Prefix:
    """Takes the prefix off and notes what it says."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        found = _ADDRESS.match(environ.get("PATH_INFO", ""))
        if found is not None:
            view = View(int(found[2]), "hub" if found[1] == "hub" else "node")
            environ = environ | {
                KEY: view,
                "SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + found[0],
                "PATH_INFO": environ["PATH_INFO"][found.end() :],
            }
        return self._application(environ, start)


def prefix_of(view: View) -> str:
    return f"/replay/{view.of}-{view.at}"
