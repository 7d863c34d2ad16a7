"""A hub that an older release made: it has no TLS authority until `pki init`, and says so; then its tablets come in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.config import Settings
from app.node import Node
from app.store.folder import DataFolder
from app.store.keys import read_keys
from app.tls.held import Held
from tests.integration.cluster import NodeProcess, eventually
from tests.integration.lan import LanHub

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def forget_tls(home: Path) -> None:
    """As the older release left the store."""
    folder = DataFolder(home)
    node = Node.open(folder, read_keys(folder.keys, None), Settings(home, ballast_mb=0))
    try:
        names = [f"tls_{name}" for name in Held.__slots__]
        node.local_write(lambda db: [db.execute("DELETE FROM meta WHERE key = ?", (name,)) for name in names])
        node.keep_identity()
    finally:
        node.close()


@pytest.mark.deep
@pytest.mark.timeout(180)
def test_a_hub_of_an_older_release_gets_its_authority_and_its_tablets_their_leaves(tmp_path: Path) -> None:
    hub, tablet = LanHub("hub", tmp_path / "hub"), NodeProcess("tablet", tmp_path / "tablet")
    born = json.loads(hub.command("init", "--role", "hub", "--name", "本部", "--json").stdout)
    tablet.command("init", "--role", "terminal", "--name", "第一小", "--json")
    forget_tls(hub.home)
    refused = hub.command("serve", "--port", "0", check=False)
    assert refused.returncode == 1 and "pki init" in refused.stderr
    (tmp_path / "secret").write_text(born["recovery_secret"] + "\n")
    recovery = ("--recovery-file", born["recovery_file"], "--secret-file", str(tmp_path / "secret"))
    try:
        hub.extra["TOMOSHIBI_HOST"] = "127.0.0.1"
        plain = NodeProcess("hub", hub.home, hub.port)
        plain.start()
        tablet.start()
        tablet.command("enrol", "--hub", plain.url, "--code", plain.json("enrol-code")["code"])
        assert tablet.json("pki", "show")["leaf"] is None, "the older hub had none to give"
        shown = plain.json("pki", "init", *recovery)
        assert shown["issues"] and "hub.tomoshibi.internal" in shown["leaf"]["names"]
        plain.stop()
        hub.extra["TOMOSHIBI_HOST"] = "0.0.0.0"
        hub.start()
        tablet.stop()
        tablet.extra["TOMOSHIBI_HUB_URL"] = hub.url
        tablet.start()
        eventually(lambda: tablet.json("status")["hub"]["state"] == "connected", 15, f"it comes in: {tablet.log()}")
        assert tablet.json("pki", "show")["authority"] == shown["authority"]
    finally:
        for node in (tablet, hub):
            node.stop()
