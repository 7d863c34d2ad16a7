"""The form of a notice: strings of the page to the fields of the record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS = ("category", "title", "body", "audience")


def read_new(form: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a new notice; for staff only where nobody said how far it may go."""
    fields: dict[str, Any] = {name: text for name in TEXTS if (text := form.get(name, "").strip())}
    fields.setdefault("audience", "internal")
    return fields | ({"pinned": True} if form.get("pinned") else {})
