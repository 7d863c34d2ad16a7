"""What people write stays a text: hostile texts in every field there is, every page there is opened in Chromium.

The fields come from the description of the API, the pages from the application's own addresses: new ones are included.
A text that became markup is seen by its mark, by a dialog, by a script that ran, or by what the policy had to forbid.
"""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests
from PIL import Image
from playwright.sync_api import Error

from app.api import openapi
from tests.browser import payloads
from tests.integration.cluster import PASSPHRASE, NodeProcess, add_person
from tests.unit.views.conftest import make_application

WATCH = """
window.hostile = [];
addEventListener("securitypolicyviolation", (event) => {
  window.hostile.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
window.ran = () => window.hostile.push("a script ran");
"""
SEEN = """() => [...(window.hostile ?? []),
  ...[...document.querySelectorAll("[data-hostile]")].map((found) => found.outerHTML)]"""
ASKED_WITH = ("back", "name", "code", "q", "field", "field_id", "at", "lat", "lon", "status", "category", "text")
PAGES_MIN = 30
SHARE = 4  # a quarter of the records on each kind of page, another quarter on the next
WITHOUT_A_PAGE = (
    "ERR_ABORTED",
    "ERR_HTTP_RESPONSE_CODE_FAILURE",
    "Download is starting",
)  # a file, nothing new, a refusal without words


@dataclass
class City:
    """A hub full of hostile texts, and what was made in it by collection."""

    hub: NodeProcess
    admin: str  # the token of who adds people; all else is a commander's
    ids: dict[str, list[str]] = field(default_factory=dict)
    cookies: list[dict[str, str]] = field(default_factory=list)

    def first(self, collection: str) -> str:
        return self.ids[collection][0]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[City]:
    yield from _city(tmp_path_factory.mktemp("few"), payloads.FEW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[City]:
    yield from _city(tmp_path_factory.mktemp("many"), payloads.ALL)


def _city(folder: Path, texts: tuple[str, ...]) -> Iterator[City]:
    hub = NodeProcess("hub", folder / "hub")
    hub.command("init", "--role", "hub", "--name", texts[0], "--json")
    hub.start()
    try:
        add_person(hub, "管理者", "admin")
        city = City(hub, hub.token)
        add_person(hub, texts[0], "commander")
        _write(city, texts)
        city.cookies = _log_in(hub, texts[0])
        yield city
    finally:
        hub.stop()


def _write(city: City, texts: tuple[str, ...]) -> None:
    """One record of each collection for each text, the text in each field that takes one; and the files with names."""
    document = openapi.document()
    order = (
        "incidents",
        "teams",
        "users",
        "channels",
        "shelters",
        "instructions",
        "staff",
        "musters",
        "patrols",
        "bulletins",
        "hq-meetings",
    )
    described = {path.rsplit("/", 1)[1]: document["paths"][path]["post"] for path in document["paths"]
                 if "post" in document["paths"][path] and not path.endswith("attachments")}  # fmt: skip
    files = [_file(city, text) for text in texts[:3]]
    for name in sorted(described, key=lambda name: (name not in order, order.index(name) if name in order else 0)):
        schema = described[name]["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        fields = document["components"]["schemas"][schema]["properties"]
        for number, text in enumerate(texts):
            body = {key: value for key, spec in fields.items() if (value := _value(city, key, spec, text, number))}
            if "attachments" in fields:
                body["attachments"] = files[:1]
            own = {"Authorization": f"Bearer {city.admin}"} if name == "users" else {}
            answer = city.hub.call("POST", name, body, **own)
            while answer.status_code == 422 and body.pop(answer.json().get("field"), None) is not None:
                answer = city.hub.call("POST", name, body, **own)  # a field that takes no such text, or not yet
            assert answer.status_code in (201, 409, 422), f"{name}: {answer.text}"
            if answer.status_code == 201:
                city.ids.setdefault(name, []).append(answer.json()["id"])
        assert city.ids.get(name), f"no text could be written into {name}: {answer.text}"


def _value(city: City, name: str, spec: dict[str, Any], text: str, number: int) -> Any:
    options = [option for option in spec.get("anyOf", [spec]) if option.get("type") != "null"]
    only = options[0] if options else {}
    if name == "incident_id":
        return city.first("incidents")
    if name == "recipients":
        return [city.first("teams")]
    if name == "team" or name.endswith("_id"):
        named = {"team": "teams", "person_id": "staff"}.get(name, name.removesuffix("_id").replace("_", "-") + "s")
        made = city.ids.get(named, [])
        return made[number % len(made)] if made else None
    if "enum" in only:
        return only["enum"][number % len(only["enum"])] if name != "mode" else "drill"
    if name == "location":
        return {"type": "Point", "coordinates": [137.2 + number / 10_000, 33.5]}
    if name == "about":
        return city.first("incidents")
    if name == "points":
        return [[137.2, 33.5, "2026-11-01T12:00:00+09:00", 8]]
    if name == "held_at":
        return "2026-11-01T12:00:00+09:00"
    if only.get("type") == "integer":
        return 3 + number if name in ("total", "meeting_no") else None
    if only.get("type") != "string" or only.get("format"):
        return None
    return text if len(text) <= only.get("maxLength", 1) else None


def _file(city: City, text: str) -> str:
    """A photo whose name, comment and EXIF hold the text."""
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x8298] = text.encode("ascii", "replace").decode()
    Image.new("RGB", (64, 48), "teal").save(stream, "JPEG", exif=exif, comment=text.encode())
    answer = requests.post(
        f"{city.hub.url}/api/v1/attachments", files={"file": (text, stream.getvalue())},
        headers={"Authorization": f"Bearer {city.hub.token}"}, timeout=10,
    )  # fmt: skip
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["sha256"])


def _log_in(hub: NodeProcess, name: str) -> list[dict[str, str]]:
    with requests.Session() as session:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', session.get(f"{hub.url}/login").text)
        assert token is not None
        form = {"name": name, "passphrase": PASSPHRASE, "csrf_token": token[1]}
        session.post(f"{hub.url}/login", data=form, timeout=10)
        return [{"name": cookie.name, "value": str(cookie.value), "url": hub.url} for cookie in session.cookies]


def pages(city: City) -> list[str]:
    """Every address that a browser can open, once for each record that it can show."""
    told: list[str] = []
    for rule in make_application().url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.rule.startswith(("/api/v1", "/static", "/layers", "/map/")):
            told += _filled(city, rule.rule)
    return sorted(set(told))


def _filled(city: City, rule: str) -> list[str]:
    names = re.findall(r"<(?:\w+:)?(\w+)>", rule)
    of = {"report_id": "damage-reports", "channel_id": "channels", "shelter_id": "shelters",
          "point_id": "patrol-points", "user_id": "users", "team_id": "teams", "patrol_id": "patrols",
          "instruction_id": "instructions", "bulletin_id": "bulletins", "meeting_id": "hq-meetings",
          "note_id": "handover-notes", "muster_id": "musters", "person_id": "staff"}  # fmt: skip
    moving = next((name for name in names if name in of), None)
    values = city.ids[of[moving]][len(rule) % SHARE :: SHARE] or city.ids[of[moving]] if moving else [""]
    return [_named(rule, {"incident_id": city.first("incidents"), moving or "": value}) for value in values]


def _named(rule: str, known: dict[str, str]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known.get(found[1], str(uuid.uuid4())), rule)


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="ja-JP")
    context.set_default_timeout(15_000)
    context.add_init_script(WATCH)
    opened = context.new_page()
    opened.dialogs = []
    opened.on("dialog", lambda dialog: (opened.dialogs.append(dialog.message), dialog.dismiss()))
    yield opened
    context.close()


def faults_of(page: Any) -> list[str]:
    """What a hostile text has done to the page that is open, its frames included."""
    faults = [f"a dialog: {text}" for text in page.dialogs]
    page.dialogs.clear()
    for frame in page.frames:
        try:
            faults += frame.evaluate(SEEN)
        except Error:  # the page led on to another one: that one is looked at
            page.wait_for_load_state("load")
            faults += page.evaluate(SEEN)
    return faults


def open_all(page: Any, city: City, addresses: list[str]) -> dict[str, list[str]]:
    page.context.add_cookies(city.cookies)
    found: dict[str, list[str]] = {}
    for address in addresses:
        try:
            page.goto(f"{city.hub.url}{address}", wait_until="load")
        except Error as error:
            if not any(reason in str(error) for reason in WITHOUT_A_PAGE):
                raise
        if faults := faults_of(page):
            found[address] = faults
    return found


@pytest.mark.deep
def test_the_watch_sees_a_page_that_trusts_a_text(page: Any, few: City) -> None:
    trusting = {
        "/script": "<script data-hostile>ran()</script>",
        "/dialog": "<script>alert(1)</script>",
        "/mark": "<b data-hostile>x</b>",
    }

    def answer(route: Any) -> None:
        route.fulfill(body=trusting[route.request.url[len(few.hub.url) :]], content_type="text/html")

    page.route("**/*", answer)
    assert sorted(open_all(page, few, list(trusting))) == sorted(trusting)
    policy = {"Content-Security-Policy": "script-src 'none'"}
    page.unroute("**/*")
    page.route("**/*", lambda route: route.fulfill(body="<script>1</script>", content_type="text/html", headers=policy))
    assert "script-src" in open_all(page, few, ["/"])["/"][0]


@pytest.mark.deep
def test_hostile_texts_in_every_field_stay_texts_on_every_page(page: Any, few: City) -> None:
    addresses = pages(few)
    once = list({re.sub(r"[0-9a-f-]{36}", "", address): address for address in addresses}.values())
    assert len(once) >= PAGES_MIN
    assert open_all(page, few, once) == {}
    assert "ran()" in requests.get(f"{few.hub.url}/login", timeout=5).text  # the name of the node itself


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_the_whole_corpus_in_every_field_on_every_page_and_in_every_query(page: Any, many: City) -> None:
    assert len(payloads.ALL) >= 60
    addresses = pages(many)
    asked = [
        f"{address}?{urlencode(dict.fromkeys(ASKED_WITH, text))}"
        for number, text in enumerate(payloads.ALL)
        for address in ((*addresses, "/login", "/login/first")[number % (len(addresses) + 2)],)
    ]
    assert open_all(page, many, [*addresses, *asked]) == {}
    names = [f"/incidents/{many.first('incidents')}/{quote(text, safe='')}" for text in payloads.ALL]
    assert open_all(page, many, names) == {}
