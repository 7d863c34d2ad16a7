"""The fuzzed parsers: their seeds, what was once found, and (in `make deep`) a run of each led by coverage."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.run import MEMORY_MB_MAX
from tests.fuzz.targets import TARGETS, pack
from tests.unit.sync.mutations import altered, damaged, unpack, written
from tests.unit.sync.nodes import REAL, ident

ROOT = Path(__file__).resolve().parents[2]
SECONDS = os.environ.get("FUZZ_SECONDS", "15")  # of each target
NO_ATHERIS = "atheris is not installed: it has wheels for Linux on x86-64 only"

# Inputs that once ended otherwise than they should, or that another parser of this kind fell over.
BRACKETS = b"\x91" * 4_000 + b"\x01"
LAST_NUMBER = [ident("o") + REAL + b"w", (1 << 63) - 1, b"s" * 64, [b"a", b"b"]]
MINUS_NOUGHT = [1, 2, 5, None, "reports", ident("0"), 1, {"depth": -0.0}, [], []]
AN_EDIT = [*MINUS_NOUGHT[:7], {"text": "x"}, [], []]
FOUND = {
    "brackets in an operation": ("operation", BRACKETS),
    "brackets in a frame": ("frame", BRACKETS),
    "brackets in a certificate": ("certificate", BRACKETS),
    "brackets in JSON": ("json", b"[" * 4_000),
    "a map whose key is a map": ("frame", b"\x81\x80\x01"),
    "a time outside the calendar": ("operation", b"\xc7\x0c\xff" + b"\xff" * 12),
    "a stream of one byte in a run": ("arrival", pack([[b"x", 1, b"s" * 64, [b"body"]]])),
    "a segment at the last number": ("arrival", pack([LAST_NUMBER])),
    "minus nought, then an edit": ("signed", pack([[0, MINUS_NOUGHT], [0, AN_EDIT]])),
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_a_seed_of_each_parser_is_read(name: str) -> None:
    seeds = TARGETS[name].seeds()
    assert seeds
    for seed in seeds:
        TARGETS[name].call(seed)


@pytest.mark.parametrize("name", FOUND)
def test_what_was_once_found_is_taken_or_refused_as_it_should(name: str) -> None:
    target, data = FOUND[name]
    TARGETS[target].call(data)


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_spoilt_seeds_of_each_parser_end_as_they_should(name: str) -> None:
    dice, target = random.Random(name), TARGETS[name]
    seeds = target.seeds()
    for _ in range(30 if name == "signed" else 150):
        data = dice.choice(seeds)
        spoilt = (
            written(altered(unpack(data), dice)) if target.is_packed and dice.random() < 0.6 else damaged(data, dice)
        )
        target.call(spoilt)


@pytest.mark.deep
@pytest.mark.timeout(300)
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason=NO_ATHERIS)
@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_withstands_a_run_led_by_coverage(name: str) -> None:
    command = [sys.executable, "-m", "tests.fuzz.run", name, SECONDS]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=280)
    said = (found.stdout[-20_000:] + found.stderr[-20_000:]).decode("utf-8", "replace")
    assert found.returncode == 0, said
    units = [line for line in said.splitlines() if "number_of_executed_units" in line or "peak_rss_mb" in line]
    print(name, *units)
    assert len(units) == 2 and int(units[1].split()[-1]) < MEMORY_MB_MAX


@pytest.mark.deep
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason=NO_ATHERIS)
def test_a_run_that_finds_something_prints_it_for_the_replay() -> None:
    planted = "from tests.fuzz import run, targets; from sync import errors; targets.BadOperation = errors.BadFrame;"
    command = [sys.executable, "-c", f"import sys; {planted} sys.argv = ['run']; run.main('operation', '20')"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=100)
    assert found.returncode != 0 and b"target operation, input " in found.stdout


def test_an_input_can_be_replayed_without_atheris() -> None:
    command = [sys.executable, "-m", "tests.fuzz.run", "operation", "0", BRACKETS.hex()]
    subprocess.run(command, cwd=ROOT, check=True, timeout=100)
