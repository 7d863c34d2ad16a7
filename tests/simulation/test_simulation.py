"""Nights of the simulation: 200 with every change, 2,000 in `make deep`, 20,000 in `make soak`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.checkers import HOOKS, Checker, all_checkers
from tests.simulation.night import simulate
from tests.simulation.regressions import REGRESSIONS, Found

ROOT = Path(__file__).resolve().parents[2]
SEEDS, AT_ONCE = 120, 10
SEALED_SEEDS, SEALED_SEEDS_DEEP = 4, 30
PROCESSES = 2  # as many as the machine that this is meant for has cores


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_every_rule_holds_through_a_night_of_faults(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        simulate(seed)


def test_every_rule_holds_through_a_night_in_which_people_seal() -> None:
    for seed in range(SEALED_SEEDS):
        simulate(seed, sealed=True)


@pytest.mark.deep
def test_every_rule_holds_through_more_nights_in_which_people_seal() -> None:
    for seed in range(SEALED_SEEDS, SEALED_SEEDS_DEEP):
        simulate(seed, sealed=True)


@pytest.mark.parametrize("found", REGRESSIONS, ids=lambda found: found.what.replace(" ", "_"))
def test_a_seed_that_once_failed_holds(found: Found) -> None:
    simulate(found.seed, found.nodes, found.steps)


def test_the_same_seed_gives_the_same_trace() -> None:
    assert simulate(7).trace_hash == simulate(7).trace_hash


def test_another_seed_gives_another_trace() -> None:
    assert simulate(7).trace_hash != simulate(8).trace_hash


@pytest.mark.deep
def test_the_trace_does_not_hang_on_the_order_of_hashes_in_a_process() -> None:
    told = {_in_a_process("3", hash_seed=hash_seed) for hash_seed in ("0", "1")}
    assert len(told) == 1


def test_a_failure_says_how_it_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.simulation.world.EVENTS_MAX", 100)
    with pytest.raises(AssertionError, match="never ends") as caught:
        simulate(7, nodes=4, steps=30)
    assert caught.value.__notes__ == ["replay it: python -m tests.simulation 7 --nodes 4 --steps 30 --trace"]


def test_every_checker_listens_to_something() -> None:
    deaf = [made for made in all_checkers() if all(getattr(made, hook) is getattr(Checker, hook) for hook in HOOKS)]
    assert deaf == []


@pytest.mark.deep
@pytest.mark.timeout(1_800)
def test_every_rule_holds_through_two_thousand_nights() -> None:
    _pass_nights(SEEDS, 2_000)


@pytest.mark.soak
def test_every_rule_holds_through_twenty_thousand_nights() -> None:
    _pass_nights(10_000, 20_000)


def _pass_nights(first: int, count: int) -> None:
    """In processes of their own, side by side. What failed is told by its seed."""
    share = count // PROCESSES
    running = [
        subprocess.Popen(_command(str(first + number * share), "--count", str(share)), stdout=subprocess.PIPE, cwd=ROOT)
        for number in range(PROCESSES)
    ]
    told = b"".join(process.communicate()[0] for process in running)
    assert [process.returncode for process in running] == [0] * PROCESSES, told.decode()


def _in_a_process(*arguments: str, hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        _command(*arguments), cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.simulation", *arguments]
