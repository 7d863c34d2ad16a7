"""The head count's form: strings of the page to the fields of the entry. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from app.errors import Invalid

PARTS = ("male", "female", "other")
STRANGE_TIMES, STRANGE_FROM = 2, 100
AGO_MINUTES = ("0", "10", "30", "60")  # when it was counted, for whoever writes down what was telephoned


def read(form: Mapping[str, str], now: int) -> dict[str, Any]:
    """Fields of a count. Where only the parts were counted, they are the total; an empty box is never 0."""
    fields: dict[str, Any] = {name: _people(name, form.get(name, "")) for name in ("total", *PARTS)}
    known = [fields[name] for name in PARTS if fields[name] is not None]
    if fields["total"] is None and known:
        fields["total"] = sum(known)
    ago = form.get("ago", "0")
    fields["counted_at"] = now - int(ago if ago in AGO_MINUTES else "0") * 60_000
    fields["post"] = form.get("post", "").strip() or None
    return {name: value for name, value in fields.items() if value is not None}


def is_strange(total: int, capacity: int | None, before: int | None) -> bool:
    """Far more than fit there or were there: a digit too many looks like this, and a full shelter does not."""
    return total > STRANGE_TIMES * max(capacity or 0, before or 0, STRANGE_FROM)


def _people(name: str, text: str) -> int | None:
    """A number of people as it is typed: also ``１２３``, ``1,234`` and ``97人``."""
    digits = unicodedata.normalize("NFKC", text).replace(",", "").strip().removesuffix("人").strip()
    if not digits:
        return None
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 9:
        raise Invalid("not_a_number", f"{name} is no number of people", "Write digits.", name)
    return int(digits)
