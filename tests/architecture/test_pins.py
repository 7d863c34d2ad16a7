"""The pinned versions: complete, exact, and silent about where packages come from."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+$")


def faults_of_constraints(text: str) -> list[str]:
    """The lines that are neither a comment nor `name==version`."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#") and not PIN.match(line)]


def hosts_of_lock(lock: Any) -> list[str]:
    """The addresses a lock file names, except where a package asks for money."""
    return [text for key, text in strings_of(lock) if key == "resolved" or "://" in text]


def strings_of(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for inner_key, inner in value.items():
            if inner_key != "funding":
                yield from strings_of(inner, inner_key)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner, key)
    elif isinstance(value, str):
        yield key, value


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_constraints_pin_exact_versions_and_name_no_host() -> None:
    assert faults_of_constraints((ROOT / "constraints.txt").read_text(encoding="utf-8")) == []


def test_the_lock_of_the_browser_packages_names_no_host() -> None:
    assert hosts_of_lock(json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))) == []


def test_the_npm_settings_choose_no_registry() -> None:
    settings = (ROOT / ".npmrc").read_text(encoding="utf-8").splitlines()
    assert [line for line in settings if "://" in line or line.startswith("registry")] == []
    assert "omit-lockfile-registry-resolved=true" in settings


def test_every_declared_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {canonical(re.split(r"[\[<>=!~; ]", line)[0]) for group in groups for line in group}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {canonical(line.split("==")[0]) for line in pins if "==" in line}
    assert declared - pinned - {"tomoshibi"} == set()


@pytest.mark.parametrize(
    "planted",
    [
        "--index-url https://packages.example/simple",
        "-e .",
        "flask @ https://packages.example/flask.whl",
        "flask>=3",
    ],
)
def test_a_planted_host_or_loose_pin_is_refused(planted: str) -> None:
    assert faults_of_constraints(f"click==8.1.0\n{planted}\n") == [planted]


def test_a_planted_address_in_the_lock_is_refused() -> None:
    address = "https://packages.example/leaflet.tgz"
    lock = {"packages": {"node_modules/leaflet": {"resolved": address, "funding": {"url": "https://a.example"}}}}
    assert hosts_of_lock(lock) == [address]
