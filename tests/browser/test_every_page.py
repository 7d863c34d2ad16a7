"""Every page that the menu of somebody leads to, on a tablet, by night on a phone, at HQ: nothing that keeps a
reader of the screen, a thumb or a keyboard out. A new page stands in the menu, and so it is looked at here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.people import SITTINGS, Visitor, Visitors
from tests.integration.cluster import Cluster

pytestmark = pytest.mark.deep
SERIOUS = ("serious", "critical")
# Pages that are linked from a page of the menu and have a form or a table of their own are walked to as well; what
# leads out of the incident, fetches a file or ends the session is not.
SKIPPED = re.compile(
    r"/tables/|/logout|/login|/switch|/lock|/replay/go|\.(csv|xlsx|pdf)|/print$|/at/|[?&](group|before|kind|part|state|rule)="
)
PAGES_MAX = 70


@pytest.fixture(scope="module")
def furnished(city: Cluster) -> Cluster:
    """Something of each kind that a list shows, also what two people wrote without having seen each other."""
    report = city.hub.post(
        "damage-reports",
        {"incident_id": city.incident, "category": "road", "summary": "陥没、片側通行", "urgency": "red",
         "location": {"type": "Point", "coordinates": [136.055, 31.545]}},
    )["id"]  # fmt: skip
    seen = city.hub.call("GET", f"damage-reports/{report}").headers["ETag"]
    for passability in ("impassable", "foot_only"):
        city.hub.call("PATCH", f"damage-reports/{report}", {"passability": passability}, If_Match=seen)
    shelter = city.hub.post(
        "shelters", {"name": "葦原第二小学校", "capacity": 320, "address": "葦原市下河原1丁目2番3号"}
    )
    for kind, fields in (("shelter-openings", {"opening_status": "open"}), ("head-counts", {"total": 151})):
        city.hub.post(kind, {"incident_id": city.incident, "shelter_id": shelter["id"], **fields})
    person = city.hub.get("users?limit=1")["items"][0]["id"]
    told = {"incident_id": city.incident, "text": "土のうを積む", "recipients": [person], "priority": "urgent"}
    city.hub.post("instructions", {**told, "damage_report_id": report})
    city.hub.post("staff", {"name": "山田 太郎", "from_level": "first", "phone": "090-0000-0001"})
    city.hub.post("musters", {"incident_id": city.incident, "level": "first", "message": "市役所へ"})
    city.hub.post("chronicle", {"incident_id": city.incident, "text": "河川の水位を確認", "source": "radio"})
    city.hub.post("chat-messages", {"incident_id": city.incident, "channel_id": city.channel, "text": "了解"})
    return city


@pytest.mark.parametrize(("size", "dark"), SITTINGS)
def test_no_page_keeps_anybody_out(
    visitors: Visitors, furnished: Cluster, pictures: Path, size: tuple[int, int], dark: bool
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visitor = visitors.at(furnished.hub, size, dark)
    visitor.wear(palette="night" if dark else "standard")
    faults: dict[str, Any] = {}
    seen = 0
    for path in _walk(visitor):
        seen += 1
        name = re.sub(r"[0-9a-f-]{36}", "*", path)
        found = Axe().run(visitor.page, options={"resultTypes": ["violations"]}).response["violations"]
        if serious := [
            (one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found if one["impact"] in SERIOUS
        ]:
            faults[name] = serious
        if os.environ.get("TOMOSHIBI_PICTURES"):
            file = name.strip("/").replace("/", "-").replace("*", "x") or "home"
            visitor.page.screenshot(path=pictures / f"every-{file}-{size[0]}-{'night' if dark else 'day'}.png")
    assert faults == {}
    assert seen >= 20
    assert visitor.faults == [] and visitor.strangers == []


def _walk(visitor: Visitor) -> Iterator[str]:
    """Each kind of page once: the menu's, and what stands one link behind them."""
    visitor.go()
    ahead, known = _links(visitor, ".nav a, main a"), set[str]()
    while ahead and len(known) < PAGES_MAX:
        path = ahead.pop(0)
        shape = re.sub(r"[0-9a-f-]{36}|[0-9a-f]{32,}|\d{5,}", "*", path.partition("?")[0])
        if shape in known:
            continue
        known.add(shape)
        visitor.at(path)
        if visitor.page.locator(".nav").count() == 0 or visitor.page.locator("main").count() == 0:
            continue
        yield path
        ahead += _links(visitor, "main a")


def _links(visitor: Visitor, where: str) -> list[str]:
    own = visitor.node.url
    found = visitor.page.eval_on_selector_all(where, "all => all.map(one => one.href.split('#')[0])")
    paths = [one.removeprefix(own) for one in found if one.startswith(own)]
    return [path for path in paths if path.startswith("/") and not SKIPPED.search(path)]
