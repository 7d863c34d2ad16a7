"""People at their screens: each with a browser context of their own, logged in at one node."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.integration.cluster import PASSPHRASE, Cluster, NodeProcess

PHONE, TABLET, HQ = (412, 915), (800, 1280), (1920, 1080)
# How pictures are taken, (size, dark): one of each size; the others where somebody asks for them (TOMOSHIBI_PICTURES).
SITTINGS = [(PHONE, True), (TABLET, False), (HQ, False)]
SITTINGS += [(PHONE, False), (TABLET, True), (HQ, True)] if os.environ.get("TOMOSHIBI_PICTURES") else []
COUNT_TAPS = """
addEventListener("pointerdown", () => {
  sessionStorage.setItem("taps", Number(sessionStorage.getItem("taps") ?? 0) + 1);
}, true);
"""
CHROMIUM_OWN = ("chrome:", "devtools:", "data:", "about:", "blob:")


@dataclass
class Visitor:
    """One person's page, with what went wrong on it and where it asked."""

    page: Any
    node: NodeProcess
    incident: str
    faults: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def go(self, path: str = "") -> None:
        self.page.goto(f"{self.node.url}/incidents/{self.incident}{path}")

    def at(self, path: str) -> None:
        self.page.goto(f"{self.node.url}{path}")

    def leave(self) -> None:
        """Without a cookie. A page that is open would go to the login by itself, beside what the test does next."""
        self.page.goto("about:blank")
        self.page.context.clear_cookies()

    def wear(self, **settings: str) -> None:
        """Palette, text size or language, as the settings page keeps them."""
        self.page.context.add_cookies(
            [{"name": f"tomoshibi_{name}", "value": value, "url": self.node.url} for name, value in settings.items()]
        )

    def taps(self) -> int:
        return int(self.page.evaluate("Number(sessionStorage.getItem('taps') ?? 0)"))

    def forget_taps(self) -> None:
        self.page.evaluate("sessionStorage.removeItem('taps')")

    def badge(self) -> Any:
        return self.page.locator("#sync-badge")


class Visitors:
    """Whoever has logged in at a node once is let in there again by the cookie: ``sessions``, by the node's address."""

    def __init__(self, browser: Any, city: Cluster, sessions: dict[str, Any]) -> None:
        self._browser, self._city, self._sessions, self._contexts = browser, city, sessions, []

    def __enter__(self) -> Visitors:
        return self

    def __exit__(self, *_: object) -> None:
        for context in self._contexts:
            context.close()

    def at(
        self, node: NodeProcess, size: tuple[int, int] = TABLET, dark: bool = False, language: str = "ja"
    ) -> Visitor:
        """Somebody who has logged in at this node."""
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            locale="ja-JP",
            timezone_id="Asia/Tokyo",
            has_touch=size != HQ,
            geolocation={"latitude": 33.5, "longitude": 137.2, "accuracy": 12},
            permissions=["geolocation"],
        )
        context.set_default_timeout(10_000)
        context.set_default_navigation_timeout(60_000)  # the map may be composed anew first, by a child process
        context.add_init_script(COUNT_TAPS)
        self._contexts.append(context)
        visitor = Visitor(context.new_page(), node, self._city.incident)
        _watch(visitor)
        if node.url in self._sessions:
            context.add_cookies(self._sessions[node.url])
            visitor.go()
            self._unlock(visitor)
        else:
            self._log_in(visitor)
            self._sessions[node.url] = context.cookies(node.url)
        if language != "ja":
            visitor.wear(language=language)
            visitor.go()
        return visitor

    def _unlock(self, visitor: Visitor) -> None:
        """Tests at other nodes may have taken so long that nobody has touched this one for some minutes."""
        if "/lock" in visitor.page.url:
            visitor.page.fill("[name=passphrase]", PASSPHRASE)
            visitor.page.click("main button.primary")
            visitor.page.wait_for_url(lambda url: "/lock" not in url)

    def _log_in(self, visitor: Visitor) -> None:
        page = visitor.page
        page.goto(f"{visitor.node.url}/login")
        page.fill("[name=name]", "本部" if visitor.node is self._city.hub else f"巡回 {visitor.node.name}")
        page.fill("[name=passphrase]", PASSPHRASE)
        page.click("main button.primary")
        page.wait_for_url(f"**/incidents/{visitor.incident}")


def _watch(visitor: Visitor) -> None:
    """Scripts that fail, answers of 5xx, and requests that would leave the machine."""
    own = urlsplit(visitor.node.url).netloc

    def asked(url: str) -> None:
        if not url.startswith(CHROMIUM_OWN) and urlsplit(url).netloc != own:
            visitor.strangers.append(url)

    page = visitor.page
    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    page.on(
        "response",
        lambda answer: visitor.faults.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None,
    )
    page.on(
        "console",
        lambda line: visitor.faults.append(line.text) if "Content Security Policy" in line.text else None,
    )
