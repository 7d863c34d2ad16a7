"""Replay a seed: ``python -m tests.simulation SEED [--nodes N] [--steps N] [--sealed] [--trace]``; ``--bench``."""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback

from tests.simulation.night import simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--count", type=int, default=1, help="so many seeds from SEED on")
    parser.add_argument("--nodes", type=int, default=6)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--sealed", action="store_true", help="a night in which people seal")
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--bench", action="store_true")
    asked = parser.parse_args()
    if asked.bench:
        simulate(asked.seed, asked.nodes, asked.steps)  # makes the templates of the stores
    began, worked = time.perf_counter(), time.process_time()
    failed = 0
    for seed in range(asked.seed, asked.seed + asked.count):
        try:
            night = simulate(seed, asked.nodes, asked.steps, print if asked.trace else None, sealed=asked.sealed)
            if asked.count == 1:
                print(night)
        except Exception as error:
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {error}", flush=True)
            if asked.count == 1:
                traceback.print_exc()
    if asked.bench:
        _tell("seeds_per_s", asked.count / (time.perf_counter() - began))
        _tell("seeds_per_cpu_s", asked.count / (time.process_time() - worked))  # what a busy machine does not change
    return 1 if failed else 0


def _tell(metric: str, value: float) -> None:
    print(json.dumps({"bench": "simulation", "metric": metric, "value": round(value, 2), "unit": "1/s"}))


if __name__ == "__main__":
    sys.exit(main())
