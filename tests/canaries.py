"""Canaries: texts that must lie nowhere on a disk in clear, and the search of every byte for them.

Each begins with the same sign, so that one search finds them all, in any of the ways in which a program writes text.
"""

from __future__ import annotations

import json
import math
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SIGN = "検体ぱび"  # voiced: taken apart it is written in other bytes
PLAIN = "Qz7Rk4Wm"  # of what keeps ASCII only
READ_AT_ONCE = 1 << 24


def _patterns() -> dict[str, bytes]:
    apart = unicodedata.normalize("NFD", SIGN)
    found = {
        "UTF-8": SIGN.encode(),
        "UTF-16LE": SIGN.encode("utf-16-le"),
        "UTF-16BE": SIGN.encode("utf-16-be"),
        "Shift_JIS": SIGN.encode("cp932"),
        "NFD": apart.encode(),
        "NFD UTF-16LE": apart.encode("utf-16-le"),
        "percent": urllib.parse.quote(SIGN).encode(),
        "JSON": json.dumps(SIGN).strip('"').encode(),
        "ASCII": PLAIN.encode(),
        "ASCII UTF-16LE": PLAIN.encode("utf-16-le"),
        "ASCII UTF-16BE": PLAIN.encode("utf-16-be"),
    }
    return found | {"percent, small": found["percent"].lower()}


PATTERNS = _patterns()


@dataclass
class Canaries:
    """Hands out texts, and remembers what each was used for."""

    used: dict[str, str] = field(default_factory=dict)

    def new(self, feature: str) -> str:
        text = f"{SIGN}{len(self.used):04d} {PLAIN}"
        self.used[text] = feature
        return text


@dataclass(frozen=True, slots=True)
class Hit:
    path: Path
    form: str
    around: bytes

    def __str__(self) -> str:
        return f"{self.path} ({self.form}): …{self.around!r}…"


def files_below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def hits(paths: Iterable[Path]) -> list[Hit]:
    """The files in which a canary stands, and how it is written there; also in the files' names."""
    found: list[Hit] = []
    for path in paths:
        name = str(path).encode("utf-8", "surrogateescape")
        found += [Hit(path, f"name, {form}", name) for form, sign in PATTERNS.items() if sign in name]
        data = path.read_bytes()
        for form, sign in PATTERNS.items():
            if (at := data.find(sign)) >= 0:
                found.append(Hit(path, form, data[max(0, at - 60) : at + 60]))
    return found


def entropy(data: bytes) -> float:
    """Bits a byte: 8 for what cannot be told from chance."""
    counted = Counter(data)
    return -sum(n / len(data) * math.log2(n / len(data)) for n in counted.values())
