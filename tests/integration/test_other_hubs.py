"""Hubs that are not of the usual kind: one that an older release made, one with a certificate that the city bought."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.config import Settings
from app.node import Node
from app.pki import files
from app.store.folder import DataFolder
from app.store.keys import read_keys
from app.tls.held import Held, of_root
from tests.integration.cluster import NodeProcess, eventually
from tests.integration.lan import LanHub, stranger

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


@pytest.mark.deep
def test_a_hub_with_a_certificate_of_another_authority_is_taken_where_the_setting_names_it(tmp_path: Path) -> None:
    hub, tablet = LanHub("hub", tmp_path / "hub"), NodeProcess("tablet", tmp_path / "tablet")
    hub.command("init", "--role", "hub", "--name", "本部", "--json")
    tablet.command("init", "--role", "terminal", "--name", "第一小", "--json")
    bought = of_root(os.urandom(32), bytes(16)).renewed(
        bytes(16), "H1", ("127.0.0.1",), time.time_ns() // 1_000_000, hub=False
    )
    key = bought.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, data in (("chain", files.pem(*bought.chain or ())), ("key", key), ("ca", files.pem(bought.authority))):
        (tmp_path / f"{name}.pem").write_bytes(data)
    hub.extra |= {"TOMOSHIBI_TLS_CERT": str(tmp_path / "chain.pem"), "TOMOSHIBI_TLS_KEY": str(tmp_path / "key.pem")}
    try:
        hub.start()
        tablet.start()
        tablet.command("enrol", "--hub", hub.url, "--code", hub.json("enrol-code")["code"])
        eventually(lambda: tablet.json("status")["hub"]["code"] == "hub_other", 15, "the city's own is what it wants")
        tablet.stop()
        tablet.extra["TOMOSHIBI_HUB_CA"] = str(tmp_path / "ca.pem")
        tablet.start()
        eventually(lambda: tablet.json("status")["hub"]["state"] == "connected", 15, f"it comes in: {tablet.log()}")
        assert stranger().get(f"{hub.url}/login", timeout=10).status_code == 403, "callers are asked all the same"
    finally:
        for node in (tablet, hub):
            node.stop()
