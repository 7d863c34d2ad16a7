"""Is a record that is posted again the one that was posted before? Pure.

Before: ``node.write`` answered that the id exists. After: the API says 200 (the same, sent again) or 409.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any


def same_content(posted: Mapping[str, Any], first: Mapping[str, Any], given: Collection[str] = ()) -> bool:
    """Whether the fields of a new change equal those of the record's first operation.

    ``given`` names the fields that the server fills: a second sending may find another role or time there.
    """
    return _told(posted, given) == _told(first, given)


def _told(fields: Mapping[str, Any], given: Collection[str]) -> dict[str, Any]:
    return {name: _value(value) for name, value in fields.items() if value is not None and name not in given}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping) and "add" in value:
        return sorted(value["add"])
    if isinstance(value, tuple):
        return list(value)
    return value
