"""The hub and the recovery file are gone, and a tablet breaks: an heir lets its replacement in, as real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cluster import NodeProcess, eventually


@pytest.mark.deep
def test_an_heir_lets_a_replacement_in_when_the_hub_is_gone(tmp_path: Path) -> None:
    hub, heir, new = (NodeProcess(name, tmp_path / name) for name in ("hub", "heir", "new"))
    born = json.loads(hub.command("init", "--role", "hub", "--name", "本部", "--json").stdout)
    secret = tmp_path / "secret"
    secret.write_text(born["recovery_secret"] + "\n")
    root = ("--recovery-file", born["recovery_file"], "--secret-file", str(secret))
    for node in (heir, new):
        node.command("init", "--role", "terminal", "--name", node.name)
    try:
        hub.start()
        heir.start()
        heir.command("enrol", "--hub", hub.url, "--code", hub.json("enrol-code")["code"])
        assert hub.json("heirs", "add", "T01", *root)["opens_sealed"] is True
        refused = hub.command("heirs", "add", "T99", *root, check=False)
        assert refused.returncode == 1 and "no node is called" in refused.stderr
        Path(born["recovery_file"]).unlink()
        eventually(lambda: heir.json("heirs", "list")["heirs"], 15, "the list has come to the heir")
        assert heir.json("heirs", "list")["heirs"][0]["awake"] is False
        hub.kill()

        asleep = heir.command("enrol-code", check=False)
        assert asleep.returncode == 1 and "may not enrol" in asleep.stderr
        code = heir.json("enrol-code", "--as-heir")["code"]
        new.start()
        assert new.json("enrol", "--hub", heir.url, "--code", code)["label"] == "T02"
        eventually(lambda: new.json("status")["hub"]["state"] == "connected", 20, "it syncs with the heir")
        eventually(lambda: new.json("digest") == heir.json("digest"), 20, "and knows what the heir knows")
        (shown,) = new.json("heirs", "list")["heirs"]
        assert shown["awake"] is True and new.json("pki", "show")["leaf"]
        heir.stop()
        heir.start()
        assert heir.json("enrol-code")["code"], "awake it stays, over a restart"
    finally:
        for node in (hub, heir, new):
            node.stop()
