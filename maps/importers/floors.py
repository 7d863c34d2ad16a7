"""Floors and places out of a city's prose: 「校舎（３階・４階）」, 「２階～４階」, 「屋内480人／屋外3,350人」."""

from __future__ import annotations

import re

from maps.importers.tables import plain

FLOORS_MAX = 60
_RANGE = re.compile(r"(地下|B)?(\d{1,2})\s*(?:階|F)?\s*[~〜-]\s*(\d{1,2})\s*(?:階|F)", re.IGNORECASE)
_LIST = re.compile(
    r"((?:\d{1,2}\s*(?:階|F)?\s*[・,、と及び]+\s*)*)(地下|B)?(\d{1,2})\s*(?:階|F)(?![a-z])", re.IGNORECASE
)
_LABEL = re.compile(r"(?:^|\s)(\S*\([^()]*\d\s*(?:階|F)[^()]*\))\s*$", re.IGNORECASE)
_COUNT = re.compile(r"(\d[\d,]*)\s*(?:人|名)?")


def label_of(name: str) -> str | None:
    """The rooms at the end of a name: 「戸田東中学校 校舎(3階・4階)」 has 「校舎(3階・4階)」."""
    found = _LABEL.search(plain(name))
    return found[1].replace("~", "〜") if found else None  # what a half-width tilde became of ～ is drawn as an accent


def floors_of(label: str) -> list[int]:
    """The floors that a text names, the lowest first; a cellar is negative. A storey count (3階建) names none."""
    text = re.sub(r"\d+\s*階\s*建て?", "", plain(label)).replace("～", "~")
    found: set[int] = set()
    for span in _RANGE.finditer(text):
        low, high = int(span[2]), int(span[3])
        found.update(range(min(low, high), max(low, high) + 1) if not span[1] else (-low, high))
    for several in _LIST.finditer(_RANGE.sub(" ", text)):
        found.add(-int(several[3]) if several[2] else int(several[3]))
        found.update(int(number) for number in re.findall(r"\d+", several[1]))
    return sorted(floor for floor in found if 0 != floor <= FLOORS_MAX)


def capacity_of(text: str) -> tuple[int | None, str | None]:
    """(places, what is unclear). Where indoors and outdoors are told apart, the places indoors count."""
    clean = plain(text)
    if clean in ("", "-", "-1", "不明", "未定"):
        return None, None
    indoors = re.search(rf"(?:屋内|室内|建物)[^\d]*{_COUNT.pattern}", clean)
    if indoors:
        return _number(indoors[1]), None
    if re.search(r"\d\s*人?\s*[~〜]\s*\d", clean):
        numbers = [_number(found) for found in re.findall(r"\d[\d,]*", clean)]
        return None, str(min(numbers))
    one = re.match(rf"^約?\s*{_COUNT.pattern}\s*(?:\(.*\))?$", clean.replace("程度", ""))
    if one:
        return _number(one[1]), None
    first = _COUNT.search(clean)
    return None, str(_number(first[1])) if first else ""


def by_floor(value: object) -> dict[str, int]:
    """{"2F": 150} or {"3": 90} with the number of the floor alone."""
    if not isinstance(value, dict):
        return {}
    return {str(floors[0]): int(places) for name, places in value.items() if (floors := floors_of(_as_floor(name)))}


def _as_floor(name: object) -> str:
    text = plain(str(name))
    return f"{text}F" if text.lstrip("-").isdecimal() else text


def _number(text: str) -> int:
    return int(text.replace(",", ""))
