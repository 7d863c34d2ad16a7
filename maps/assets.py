"""What a rendered map may load, and the map's page taken apart so that a strict content policy can serve it.

folium's classes name scripts and styles of five other hosts. Before: ``render`` builds a folium figure and calls
``local`` on each part of it. After: ``split`` gives script and style as texts, which are served as files of our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from maps.errors import ForeignAsset

Vendor = Callable[[str], str]  # the name of a file in the vendor manifest → its address on this machine

# folium's class → what it needs of ours. jQuery, Bootstrap, Font Awesome, Awesome Markers and Glyphicons are left
# out: 1 MB that only folium's own markers and popups use, and ours are drawn by our modules.
NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Map": (("leaflet.js",), ("leaflet.css",)),
    "MarkerCluster": (("markercluster.js",), ("markercluster.css",)),
    "FeatureGroup": ((), ()),
    "VectorTiles": (("protomaps-leaflet.js",), ()),
}
_FOREIGN = re.compile(r"(?i)\b(?:https?|wss?):|(?<![:\w])//[a-z0-9-]+(?:\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Parts:
    """A figure, taken apart. ``scripts`` and ``styles`` are addresses, in the order in which they must be loaded."""

    scripts: tuple[str, ...]
    styles: tuple[str, ...]
    script: str
    style: str
    body: str


def local(element: Any, vendor: Vendor) -> Any:
    """The element, loading from this machine. Raises KeyError for a class that nobody decided on."""
    scripts, styles = NEEDS[type(element).__name__]
    element.default_js = [(name, vendor(name)) for name in scripts]
    element.default_css = [(name, vendor(name)) for name in styles]
    return element


def split(page: str, container: str) -> Parts:
    """Take a rendered figure apart. Raises ForeignAsset where anything in it names another host.

    Of folium's style rules only those of the map's own ``container`` stay: the others set html, body and #map.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    style = "\n".join(text for text in reader.styles_text if f"#{container}" in text)
    parts = Parts(
        tuple(reader.scripts), tuple(reader.styles), "\n".join(reader.scripts_text), style, "".join(reader.body).strip()
    )
    _refuse_foreign((*parts.scripts, *parts.styles, parts.script, parts.style, parts.body))
    return parts


def _refuse_foreign(texts: Sequence[str]) -> None:
    for text in texts:
        found = _FOREIGN.search(text)
        if found:
            around = text[max(0, found.start() - 40) : found.end() + 40]
            raise ForeignAsset(f"The map would load from another host: {around!r}")


class _Reader(HTMLParser):
    """Sorts a page into what it loads, its inline texts, and the markup of its body."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.scripts_text: list[str] = []
        self.styles_text: list[str] = []
        self.body: list[str] = []
        self._inside: list[str] | None = None
        self._in_body = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            if given.get("src"):
                self.scripts.append(str(given["src"]))
            self._inside = self.scripts_text
        elif tag == "style":
            self._inside = self.styles_text
        elif tag == "link" and given.get("rel") == "stylesheet":
            self.styles.append(str(given["href"]))
        elif tag == "body":
            self._in_body = True
        elif self._in_body:
            self.body.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = None
        elif tag == "body":
            self._in_body = False
        elif self._in_body:
            self.body.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            if data.strip():
                self._inside.append(data)
        elif self._in_body:
            self.body.append(data)
