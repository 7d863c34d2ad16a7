from __future__ import annotations

import json

from app.api import openapi
from app.records import NOUNS


def test_every_reference_of_the_description_leads_somewhere() -> None:
    document = openapi.document()
    found = set()
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("$ref"), str):
                found.add(item["$ref"])
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    for reference in found:
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    assert json.dumps(document)


def test_every_noun_and_method_is_described() -> None:
    document = openapi.document()
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    assert set(document["paths"]["/api/v1/attachments"]) == {"post"}
    for name, noun in NOUNS.items():
        if name == "attachments":  # a file is sent, not a record
            continue
        if name in openapi.READ_ONLY:
            assert set(document["paths"][f"/api/v1/{name}"]) == {"get"}
            continue
        assert {"get", "post"} <= set(document["paths"][f"/api/v1/{name}"])
        assert ("patch" in document["paths"][f"/api/v1/{name}/{{record_id}}"]) != noun.kind.entry
    report = document["components"]["schemas"]["DamageReportCreate"]
    assert set(report["required"]) == {"category", "summary", "incident_id"}
    assert "road" in report["properties"]["category"]["enum"]
