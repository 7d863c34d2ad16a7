"""Benchmarks: fixed workloads on the keyed engine with all projections of this release on. Never timed tests.

Each prints one JSON line a figure: {"bench", "metric", "value", "unit"}. ``python -m app bench NAME``.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

NAMES = (
    "start", "pages", "command", "replay", "live", "save", "ingest", "sync", "storm",
    "storm-tls", "slow", "growth", "depth", "map", "import",
)  # fmt: skip
TAKE_A_CORPUS = ("sync", "save", "ingest", "live", "slow", "depth")
MODULES = {"import": "import_layers", "storm-tls": "storm_tls"}  # not every name can be one of a module


def emit(bench: str, metric: str, value: float, unit: str) -> None:
    print(json.dumps({"bench": bench, "metric": metric, "value": round(value, 3), "unit": unit}), flush=True)


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def run(name: str, corpus: Path | None = None) -> None:
    """Run one benchmark, or ``all``; ``corpus`` is a file that those of ``TAKE_A_CORPUS`` measure with."""
    for wanted in NAMES if name == "all" else (name,):
        module = importlib.import_module(f"app.bench.{MODULES.get(wanted, wanted)}")
        if wanted in TAKE_A_CORPUS and corpus is not None:
            module.run(corpus)
        else:
            module.run()
