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
LOCK = ROOT / "requirements.lock"
PIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.+!]+$")

HOST = "https://" + ".".join(("planted", "example"))  # put together here: no file of ours names a host of packages


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


def locked_versions(text: str) -> dict[str, str]:
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    return {canonical(name): version for name, version in found}


def faults_of_lock(text: str) -> list[str]:
    """The requirements without a hash, and the lines that are something else."""
    faults = []
    for requirement in text.replace("\\\n", " ").splitlines():
        first, *hashes = requirement.split(" --hash=")
        named = re.fullmatch(r"[\w.-]+==[^\s;]+( ; [^:]+)?", first.strip())
        if named is None or not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", one.strip()) for one in hashes):
            faults.append(first.strip())
    return faults


def declared(extra: str) -> set[str]:
    """What pyproject asks for, with this extra and what it names of the others."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *(project["optional-dependencies"][name] for name in (extra, "heic", "print"))]
    return {canonical(re.split(r"[\[<>=!~; ]", line)[0]) for group in groups for line in group}


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


def test_the_lock_and_the_pins_say_the_same_versions() -> None:
    locked = locked_versions(LOCK.read_text("utf-8"))
    pins = [line.split("==") for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if "==" in line]
    pinned = {canonical(name): version for name, version in pins}
    assert {name: version for name, version in locked.items() if pinned.get(name, version) != version} == {}
    assert locked.keys() >= declared("dev") - {"tomoshibi"}, "run `make lock`"


def test_every_package_of_the_lock_is_known_by_its_hashes_and_no_host_is_named() -> None:
    assert faults_of_lock(LOCK.read_text("utf-8")) == []


def test_a_planted_fault_of_the_lock_is_found() -> None:
    hashed = "click==8.5.1 \\\n    --hash=sha256:" + "0" * 64 + "\n"
    assert faults_of_lock(hashed) == []
    for planted in ("flask==3.1.3\n", f"--find-links {HOST}\n", "-e .\n", "flask>=3 \\\n"):
        assert faults_of_lock(hashed + planted) == [planted.strip().rstrip("\\ ")]


@pytest.mark.parametrize(
    "planted",
    [
        f"--find-links {HOST}",
        "-e .",
        f"flask @ {HOST}/flask.whl",
        "flask>=3",
    ],
)
def test_a_planted_host_or_loose_pin_is_refused(planted: str) -> None:
    assert faults_of_constraints(f"click==8.1.0\n{planted}\n") == [planted]


def test_a_planted_address_in_the_lock_is_refused() -> None:
    address = f"{HOST}/leaflet.tgz"
    lock = {"packages": {"node_modules/leaflet": {"resolved": address, "funding": {"url": "https://a.example"}}}}
    assert hosts_of_lock(lock) == [address]
