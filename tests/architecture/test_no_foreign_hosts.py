"""Nothing on any page points off the machine: a shelter without a line must see every screen whole.

An `<a href>` may lead elsewhere (an attribution must name its source); whatever a browser would load by
itself may not. What fetched packages would load is covered by the browser's request log instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MARKUP = {".html", ".jinja", ".j2", ".svg", ".xml", ".txt"}
SCRIPTS = {".js", ".mjs"}
STYLES = {".css"}
DATA = {".json", ".webmanifest"}
READ_IN_PAGE_FOLDERS = MARKUP | SCRIPTS | STYLES | DATA
PAGE_FOLDERS = ("app/templates", "app/static")
CODE_FOLDERS = ("app/views", "maps", "desktop")

LOCAL = r"(?:localhost|127\.0\.0\.1|\[::1\])(?![\w.-])"
# An address with a host of its own, written out or filled in by the template engine.
FOREIGN = rf"(?:(?:https?|wss?|ftp):)?//(?!{LOCAL})(?=[\w\[{{])"

LOADING_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(src|srcset|imagesrcset|href|xlink:href|poster|data|action|formaction|background|ping|manifest
        |(?:data-)?hx-(?:get|post|put|patch|delete)|(?:data-)?(?:ws|sse)-connect)
        \s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""",
    re.VERBOSE | re.IGNORECASE,
)
TAG_BEFORE = re.compile(r"<([A-Za-z][\w:-]*)[^<]*$")
STYLE_LOAD = re.compile(rf"(?:url\(\s*['\"]?|@import\s+['\"])\s*{FOREIGN}[^\s'\")]*", re.IGNORECASE)
SCRIPT_LITERAL = re.compile(rf"(['\"`])\s*{FOREIGN}[^'\"`\s]*", re.IGNORECASE)
DATA_LITERAL = re.compile(rf"\"(?:src|url|href|start_url|scope|tiles)\"\s*:\s*\[?\s*\"{FOREIGN}[^\"]*")
# Names of XML vocabularies look like addresses and are never loaded.
VOCABULARY = re.compile(r"https?://www\.w3\.org/(?:1999|2000)/")
# An address in Python is a source's name unless a browser would load it.
LOADED_BY_A_PAGE = re.compile(
    rf"^{FOREIGN}\S*(?:\{{[sxyz]\}}|\.(?:m?js|css|png|jpe?g|webp|svg|gif|woff2?|pbf|pmtiles|geojson))",
    re.IGNORECASE,
)


def foreign_loads(name: str, text: str) -> list[str]:
    """What a browser showing this file would ask another host for."""
    suffix = Path(name).suffix
    if suffix == ".py":
        found = loads_in_python(text)
    elif suffix in SCRIPTS:
        found = [*loads_in_script(text), *loads_in_markup(text)]
    elif suffix in STYLES:
        found = loads_in_style(text)
    elif suffix in DATA:
        found = [match.group() for match in DATA_LITERAL.finditer(text)]
    else:
        found = [*loads_in_markup(text), *loads_in_inline_scripts(text)]
    return sorted(set(found))


def loads_in_markup(text: str) -> list[str]:
    return [*loads_in_attributes(text), *loads_in_style(text)]


def loads_in_attributes(text: str) -> Iterator[str]:
    for match in LOADING_ATTRIBUTE.finditer(text):
        attribute = match.group(1).lower()
        value = next(group for group in match.groups()[1:] if group is not None)
        tag = TAG_BEFORE.search(text, 0, match.start())
        if attribute == "href" and tag is not None and tag.group(1).lower() == "a":
            continue
        candidates = value.split(",") if attribute.endswith("srcset") else [value]
        if any(re.match(rf"\s*{FOREIGN}", candidate, re.IGNORECASE) for candidate in candidates):
            yield match.group()


def loads_in_style(text: str) -> list[str]:
    return [match.group() for match in STYLE_LOAD.finditer(text) if not VOCABULARY.search(match.group())]


def loads_in_script(text: str) -> list[str]:
    return [match.group() for match in SCRIPT_LITERAL.finditer(text) if not VOCABULARY.search(match.group())]


def loads_in_inline_scripts(text: str) -> Iterator[str]:
    for body in re.findall(r"<script\b[^>]*>(.*?)</script>", text, re.DOTALL | re.IGNORECASE):
        yield from loads_in_script(body)


def loads_in_python(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from loads_in_markup(node.value)
            yield from loads_in_inline_scripts(node.value)
            if LOADED_BY_A_PAGE.match(node.value):
                yield node.value


def files_to_read(root: Path) -> Iterator[Path]:
    for folder in PAGE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            inside = path.relative_to(root / folder).parts
            if path.suffix in MARKUP | SCRIPTS | STYLES | DATA and not inside[0].lstrip(".").startswith("vendor"):
                yield path
    for folder in CODE_FOLDERS:
        yield from sorted((root / folder).rglob("*.py"))


def test_no_page_loads_anything_from_another_host() -> None:
    faults = {}
    for path in files_to_read(ROOT):
        if found := foreign_loads(path.name, path.read_text(encoding="utf-8")):
            faults[path.relative_to(ROOT).as_posix()] = found
    assert faults == {}


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("page.html", '<script src="https://cdn.example/htmx.js"></script>'),
        ("page.html", "<script defer src='//cdn.example/htmx.js'></script>"),
        ("page.html", '<link rel="stylesheet" href="https://cdn.example/a.css">'),
        ("page.html", '<img alt="" src=https://tiles.example/1.png>'),
        ("page.html", '<img srcset="/static/a.png 1x, https://tiles.example/b.png 2x">'),
        ("page.html", '<div style="background: url(//cdn.example/a.png)"></div>'),
        ("page.html", '<a href="/map" hx-get="https://other.example/map">'),
        ("page.html", '<form action="https://other.example/login">'),
        ("page.html", '<img src="https://{{ host }}/a.png">'),
        ("page.html", '<script>fetch("https://other.example/x")</script>'),
        ("page.svg", '<image xlink:href="http://other.example/a.png"/>'),
        ("page.js", 'import {x} from "https://cdn.example/x.js";'),
        ("page.js", "const m = await import('//cdn.example/x.js');"),
        ("page.js", "fetch(`https://other.example/${id}`)"),
        ("page.js", 'new WebSocket("wss://other.example/")'),
        ("page.css", '@import "https://fonts.example/css";'),
        ("page.css", "@import url(//fonts.example/css);"),
        ("page.css", 'src: url("https://fonts.example/a.woff2")'),
        ("app.webmanifest", '{"icons": [{"src": "https://cdn.example/i.png"}]}'),
        ("render.py", 'TILES = "https://tiles.example/{z}/{x}/{y}.png"'),
        ("render.py", 'JS = ["https://cdn.example/leaflet.js"]'),
        ("render.py", "HEAD = '<script src=\"https://cdn.example/a.js\"></script>'"),
        ("page.html", '<img src="http://localhost.example/a.png">'),
    ],
)
def test_a_planted_foreign_load_is_found(name: str, planted: str) -> None:
    assert foreign_loads(name, planted) != []


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("page.html", '<a href="https://www.gsi.example/" rel="noreferrer">出典</a>'),
        ("page.html", '<svg xmlns="http://www.w3.org/2000/svg"><use href="#pin"/></svg>'),
        ("page.html", '<script src="{{ vendor("htmx") }}"></script><img src="/static/a.svg">'),
        (
            "page.js",
            'document.createElementNS("http://www.w3.org/2000/svg", "path"); // https://note.example',
        ),
        ("page.js", 'io("http://localhost:8000/")'),
        ("page.css", "/* see https://note.example */ a { background: url(../img/a.svg) }"),
        ("window.py", 'url = f"http://127.0.0.1:{port}/"; other = f"http://{host}/"'),
        ("hazard.py", 'SOURCE = "https://www.gsi.example/hazard"'),
    ],
)
def test_what_a_browser_does_not_load_is_left_alone(name: str, harmless: str) -> None:
    assert foreign_loads(name, harmless) == []
