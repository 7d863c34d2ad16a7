from __future__ import annotations

from typing import Any

import pytest

from app.records import KINDS
from app.records.judge import judge
from sync.operation import CITY, ENTRY, SET, Operation

NODE = "ab" * 16
ID = "01920000-0000-7000-8000-000000000001"


def operation(name: str, fields: dict[str, Any], **changes: Any) -> Operation:
    kind = KINDS.get(name)
    told: dict[str, Any] = {
        "origin": b"o" * 16,
        "scope": CITY if kind is None or kind.city else b"d" + b"i" * 16,
        "lane": b"w",
        "seq": 2,
        "hlc": 1,
        "author": None,
        "kind": name,
        "record": b"r" * 16,
        "type": ENTRY if kind is not None and kind.entry else SET,
        "fields": fields,
        "replaces": (),
        "after": (),
    }
    return Operation(**{**told, **changes})


@pytest.mark.parametrize(
    ("name", "fields", "capabilities", "wanted"),
    [
        ("damage-reports", {"category": "road"}, {"field"}, None),
        ("damage-reports", {"category": "road"}, {"command"}, None),
        ("damage-reports", {"category": "road"}, {"hub"}, "not_capable"),
        ("damage-reports", {"category": "road"}, set(), "not_capable"),
        ("incidents", {"mode": "drill"}, {"field"}, None),
        ("teams", {"name": "第1班"}, {"field"}, "not_capable"),
        ("teams", {"name": "第1班"}, {"command"}, None),
        ("shelters", {"name": "第一小"}, {"field"}, "not_capable"),
        ("users", {"name": "佐藤", "home_node": NODE}, {"field"}, None),
        ("users", {"name": "佐藤", "home_node": "cd" * 16}, {"field"}, "not_capable"),
        ("users", {"role": "admin"}, {"field"}, "not_capable"),
        ("users", {"name": "佐藤", "home_node": "cd" * 16}, {"command"}, None),
        ("nodes", {"name": "T07"}, {"field", "command"}, "not_capable"),
        ("nodes", {"name": "T07"}, {"enrol"}, None),
        ("weather", {"rain": 5}, {"field"}, None),
        ("incidents", {"mode": "war"}, {"command"}, "malformed"),
        ("damage-reports", {"team": "zz"}, {"field"}, "malformed"),
        ("damage-reports", {"team": ID}, {"field"}, None),
        ("damage-reports", {"urgency": "purple"}, {"field"}, "malformed"),
        ("damage-reports", {"urgency": None}, {"field"}, None),
        ("damage-reports", {"attachments": {"add": [5]}}, {"field"}, "malformed"),
        ("damage-reports", {"a_newer_field": {"x": 1}}, {"field"}, None),
        ("chat-messages", {"channel_id": ID, "attachments": {"x": 1}}, {"field"}, "malformed"),
        ("shelters", {"usable_floors": [3, [4]]}, {"command"}, "malformed"),
    ],
)
def test_the_verdict(name: str, fields: dict[str, Any], capabilities: set[str], wanted: str | None) -> None:
    assert judge(operation(name, fields), NODE, capabilities) == wanted
