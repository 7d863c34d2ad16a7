"""Chromium against real node processes. Without Chromium these tests are skipped, saying so.

REQUIRE_BROWSER=1 makes that an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import FLAGS, headless_program
from tests.browser.people import Visitors
from tests.integration.cluster import Cluster, cluster

WAIT_MS = 10_000  # for what a page shows in the end; where the time itself matters, a test measures it


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Any]:
    """Playwright, where there is a Chromium for it to drive: two of them cannot run in one process."""
    if headless_program() is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, and no Chromium is installed")
        pytest.skip("no Chromium on this machine (REQUIRE_BROWSER=1 makes this an error)")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Any) -> Iterator[Any]:
    browser = playwright.chromium.launch(executable_path=headless_program(), args=FLAGS.split())
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def city(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A hub and two terminals of a drill; the hub is started again for the next test where one stopped it."""
    with cluster(tmp_path_factory.mktemp("city")) as built:
        yield built


@pytest.fixture(scope="session")
def sessions(city: Cluster) -> dict[str, Any]:
    """Cookies of those who have logged in, by the address of the node."""
    return {}


@pytest.fixture
def visitors(chromium: Any, city: Cluster, sessions: dict[str, Any]) -> Iterator[Visitors]:
    if city.hub.process is None or city.hub.process.poll() is not None:
        city.hub.start()
    with Visitors(chromium, city, sessions) as found:
        yield found


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: TOMOSHIBI_PICTURES, else a temporary folder."""
    wanted = os.environ.get("TOMOSHIBI_PICTURES")
    folder = Path(wanted) if wanted else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
