"""Rows of a table file as a city saves it: any of its encodings, delimiters and heads. Values stay as they are written.

Before: ``files`` found the file. After: ``shelters`` reads the rows by the names of their columns.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from maps.errors import BadFile

TABLE_BYTES_MAX = 32 << 20
ROWS_MAX = 50_000
HEAD_ROWS_MAX = 20  # titles and dates above the head
DELIMITERS = (",", "\t", ";", "|")
BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Row:
    """``line`` is the line of the file where the row begins, or the number of the feature."""

    line: int
    cells: Mapping[str, str]
    extra: int = 0  # cells beyond the head


def rows(path: Path, name: str, known: Callable[[str], bool]) -> list[Row]:
    """The rows below the head, without blank ones. ``known`` says whether a text is the name of a column."""
    text = decoded(path, name)
    parsed = _parsed(text, name)
    head_at = _head(parsed, known)
    if head_at is None:
        raise BadFile(
            "no_head",
            f"{name} has no line with the names of its columns (名称, 緯度, 経度 …)",
            "Add a first line that names the columns.",
        )
    head = [cell.strip() for cell in parsed[head_at][1]]
    found = []
    for line, cells in parsed[head_at + 1 :]:
        if not any(cell.strip() for cell in cells):
            continue
        filled = cells + [""] * (len(head) - len(cells))
        extra = sum(1 for cell in cells[len(head) :] if cell.strip())
        found.append(Row(line, {column: cell for column, cell in zip(head, filled, strict=False) if column}, extra))
    return found


def decoded(path: Path, name: str) -> str:
    """The text of the file: by its mark, else UTF-8, else CP932. Raises BadFile."""
    if path.stat().st_size > TABLE_BYTES_MAX:
        raise BadFile(
            "file_too_large", f"{name} is larger than {TABLE_BYTES_MAX >> 20} MB", "Give the city's own list only."
        )
    raw = path.read_bytes()
    marked = next((encoding for mark, encoding in BYTE_ORDER_MARKS if raw.startswith(mark)), None)
    for encoding in (marked,) if marked else (*_without_mark(raw), "utf-8", "cp932"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadFile("bad_encoding", f"{name} is no text in UTF-8, UTF-16 or Shift_JIS", "Save it as CSV in UTF-8.")


def _without_mark(raw: bytes) -> tuple[str, ...]:
    """UTF-16 without a mark shows by the zero bytes of its ASCII."""
    even, odd = raw[0:2_000:2].count(0), raw[1:2_000:2].count(0)
    if odd > 10 and odd > 3 * even:
        return ("utf-16-le",)
    return ("utf-16-be",) if even > 10 and even > 3 * odd else ()


def _parsed(text: str, name: str) -> list[tuple[int, list[str]]]:
    start = text[:20_000]
    delimiter = max(DELIMITERS, key=start.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for cells in reader:
            found.append((before + 1, cells))
            before = reader.line_num
            if len(found) > ROWS_MAX:
                raise BadFile("too_many_rows", f"{name} has more than {ROWS_MAX:,} rows", "Give the city's own list.")
    except csv.Error as error:
        raise BadFile(
            "bad_csv", f"line {reader.line_num} of {name} cannot be read: {error}", "Look for a quote that never ends."
        ) from error
    return found


def _head(parsed: list[tuple[int, list[str]]], known: Callable[[str], bool]) -> int | None:
    """The line with the most known names: at least a name and one more."""
    counts = [sum(known(cell) for cell in cells) for _, cells in parsed[:HEAD_ROWS_MAX]]
    best = max(range(len(counts)), key=counts.__getitem__, default=None)
    return best if best is not None and counts[best] >= 2 else None


def plain(text: str) -> str:
    """NFKC, without control characters, spaces at the ends and double spaces: what is compared and kept."""
    wide = unicodedata.normalize("NFKC", text)
    return re.sub(r"\s+", " ", "".join(" " if unicodedata.category(char) == "Cc" else char for char in wide)).strip()


def column(text: str) -> str:
    """The name of a column without what differs from city to city: case, width, spaces, marks."""
    return re.sub(r"[\s_\-・,、，.。:：()\[\]/／【】「」*※]+", "", unicodedata.normalize("NFKC", text)).lower()
