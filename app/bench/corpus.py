"""Damage reports to measure with: a line of JSON each, from a file or made here, the same for the same seed.

``hard`` has text of random characters: an upper bound of what real words cost on a line.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from uuid6 import uuid7

from app import catalog
from app.bench.stage import PLACES
from app.errors import CommandFailed, Invalid
from app.records import damage_reports
from sync.operation import Change

SEED = 1
WHAT = (
    "道路が冠水し通行できません。",
    "床下まで水が来ています。",
    "高齢者の避難支援が必要です。",
    "倒木が車道をふさいでいます。",
    "停電が続いています。",
    "堤防下から漏水しています。",
)
HARD_CHARS, HARD_LENGTH = 2_000, 52  # of the common kanji, and as many of them as the words above come to
STATUSES = ("open", "accepted", "in_progress", "done", "not_needed")
Document = dict[str, Any]


def documents(count: int, path: Path | None = None, *, hard: bool = False, seed: int = SEED) -> list[Document]:
    """``count`` reports: those of the file, again and again, or invented ones of 475 B of JSON in the mean."""
    if path is None:
        return list(_invented(count, hard, seed))
    try:
        held = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except ValueError as error:
        hint = "See docs/benchmarks.md."
        raise CommandFailed("bad_corpus", f"{path} is not JSON, a line a report: {error}", hint) from error
    if not held:
        raise CommandFailed("bad_corpus", f"{path} holds no report", "See docs/benchmarks.md.")
    return [held[number % len(held)] for number in range(count)]


def creates(scope: bytes, listed: list[Document]) -> list[Change]:
    """What makes a record of each. Raises CommandFailed for one that no form would let through."""
    try:
        return [damage_reports.create(uuid7(), scope, document, reporter_role="patrol") for document in listed]
    except Invalid as error:
        raise CommandFailed("bad_corpus", f"a report of the corpus is refused: {error}", error.hint) from error


def mean_bytes(listed: list[Document]) -> float:
    sizes = [len(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode()) for one in listed]
    return sum(sizes) / len(sizes)


def _invented(count: int, hard: bool, seed: int) -> Iterator[Document]:
    chance = random.Random(seed)
    categories = list(catalog.table("damage_categories").codes)
    for number in range(count):
        place = chance.choice(PLACES)
        words = "".join(chance.choice(WHAT) for _ in range(4))
        if hard:
            words = "".join(chr(0x4E00 + chance.randrange(HARD_CHARS)) for _ in range(HARD_LENGTH))
        found_at = 1_570_838_400_000 + number * 1_000 + chance.randrange(1_000)
        yield {
            "category": chance.choice(categories),
            "summary": f"{place} {words[:12]}",
            "description": words,
            "response_status": chance.choice(STATUSES),
            "urgency": chance.choice(("red", "yellow", "green", "white")),
            "location": [round(136.0 + chance.random() / 20, 6), round(31.5 + chance.random() / 40, 6)],
            "accuracy_m": float(chance.randrange(3, 60)),
            "address": f"{place} {chance.randrange(1, 30)}番{chance.randrange(1, 20)}号",
            "found_at": found_at,
            "located_at": found_at + chance.randrange(1_000),
            "water_depth_cm": chance.randrange(150),
        }
