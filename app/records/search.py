"""What can be searched for words, and how words are compared: without size, width or kind of kana.

Before: ``store/search.py`` keeps the index by these rules. After: ``queries/search.py`` asks it. A word is found inside
any other, so the index holds pairs of characters; the last character of a run stands alone as well, for words of one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

# What is sealed is in no index, nor are people's names: who may read those is asked elsewhere. A kind that is not
# here is not searched.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "damage-reports": ("number", "summary", "address", "description"),
    "instructions": ("number", "text", "withdrawn_reason"),
    "instruction-replies": ("reason",),
    "chat-messages": ("text",),
    "chronicle": ("text",),
    "bulletins": ("number", "title", "body", "withdrawn_reason"),
    "hq-meetings": ("place", "others", "agenda", "information"),
    "hq-meeting-decisions": ("text",),
    "patrol-points": ("note",),
    "head-counts": ("note",),
    "shelters": ("name", "kana", "address", "district", "facility", "common_id"),
}
WORDS_MAX = 8

_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef\ufdd0-\ufdef]"
)
# Katakana as hiragana; ASCII signs in their wide form, for the engine parts words at the narrow one.
_ALIKE = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_ALIKE |= {code: code + 0xFEE0 for code in range(0x21, 0x7F) if not chr(code).isalnum()}
_ALIKE |= dict.fromkeys((*range(0x20), 0x7F), 0x20)


def folded(text: str) -> str:
    """The text as it is compared: ﾀｲﾌｳ, タイフウ and たいふう are one, and so are ＡＢＣ and abc."""
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return unicodedata.normalize("NFKC", seen.casefold()).translate(_ALIKE)


def words_of(asked: str | None) -> list[str]:
    """The words that are asked for; what is found speaks of all of them."""
    return list(dict.fromkeys(folded(asked or "").split()))[:WORDS_MAX]


def speaks_of(text: str, words: list[str]) -> bool:
    said = folded(text)
    return all(word in said for word in words)


def text_of(kind: str, values: Mapping[str, Any]) -> str:
    """All that a record says in its fields that can be searched."""
    return "\n".join(str(values[name]) for name in FIELDS[kind] if values.get(name))


def marked(text: str, asked: str, chars_max: int) -> list[tuple[str, bool]]:
    """A piece of the text around the first word that stands in it, in parts: (part, whether it is one of the words)."""
    said, origin = "", list[int]()
    for at, char in enumerate(text):
        alike = folded(char)
        said += alike
        origin += [at] * len(alike)
    hits = [False] * len(text)
    for word in words_of(asked):
        begin = said.find(word)
        while begin >= 0:
            for at in origin[begin : begin + len(word)]:
                hits[at] = True
            begin = said.find(word, begin + len(word))
    first = max(0, hits.index(True) - chars_max // 4) if True in hits else 0
    parts = [("…", False)] if first else []
    for char, hit in zip(text[first : first + chars_max], hits[first : first + chars_max], strict=True):
        if parts and parts[-1][1] == hit:
            parts[-1] = (parts[-1][0] + char, hit)
        else:
            parts.append((char, hit))
    return [*parts, ("…", False)] if len(text) > first + chars_max else parts


def entry(kind: str, text: str) -> str:
    """The index's entry of a record: its kind, then each character with the one that follows it in its run."""
    return " ".join((_mark(kind), *(run[at : at + 2] for run in folded(text).split() for at in range(len(run)))))


def expression(words: list[str], kind: str = "") -> str:
    """The words as the index is asked for them, in records of one kind: where they are few, few are looked at."""
    asked = [f'"{word}" *' if len(word) == 1 else f'"{_joined(word)}"' for word in words]
    return " AND ".join([f'"{_mark(kind)}"', *asked] if kind else asked)


def _mark(kind: str) -> str:
    """A word that stands in no text: it begins with what is no character, and is left out of texts."""
    return "\ufdd0" + kind.replace("-", "")


def _joined(word: str) -> str:
    return " ".join(word[at : at + 2] for at in range(len(word) - 1))
