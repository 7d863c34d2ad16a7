"""One fuzzing run in a process of its own: ``python -m tests.fuzz.run TARGET SECONDS [INPUT.hex]``.

Coverage of our own code leads the way. An input that something is wrong with is printed as hex and ends the run with
a code other than 0; given back as a third argument it is replayed alone.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from typing import Any

INPUT_BYTES_MAX = 4_096
MEMORY_MB_MAX = 1_024
OURS = ["sync", "app.api.strict_json", "app.intake.sniff"]


def main(name: str, seconds: str, replay: str | None = None) -> None:
    if replay is not None:
        from tests.fuzz.targets import TARGETS

        TARGETS[name].call(bytes.fromhex(replay))
        return
    import atheris

    with atheris.instrument_imports(include=OURS, enable_loader_override=False):
        from tests.fuzz.targets import TARGETS
        from tests.unit.sync.mutations import altered, unpack, written

    target = TARGETS[name]

    def call(data: bytes) -> None:
        try:
            target.call(data)
        except BaseException:
            print(f"target {name}, input {data.hex()}", flush=True)
            raise

    def mutate(data: bytes, size_max: int, number: int) -> bytes:
        dice = random.Random(number)
        if target.is_packed and dice.random() < 0.6:
            try:
                value: Any = unpack(data)
            except (ValueError, RecursionError, OverflowError):
                return bytes(atheris.Mutate(data, size_max))
            for _ in range(dice.choice([1, 1, 2, 4])):
                value = altered(value, dice)
            return written(value)[:size_max]
        return bytes(atheris.Mutate(data, size_max))

    with tempfile.TemporaryDirectory() as corpus:
        for place, seed in enumerate(target.seeds()):
            (Path(corpus) / f"{place}").write_bytes(seed)
        options = [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", f"-rss_limit_mb={MEMORY_MB_MAX}"]
        atheris.Setup(
            [sys.argv[0], *options, "-timeout=20", "-print_final_stats=1", f"-artifact_prefix={corpus}/", corpus],
            call,
            custom_mutator=mutate,
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
