"""The hub's machine is gone: last week's backup is put back, and the terminals give it what it lacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.cluster import NodeProcess, cluster, eventually
from tests.integration.pictures import fetched, file_report, photo, upload


@pytest.mark.deep
def test_a_lost_hub_is_put_back_from_its_backup_and_gets_the_rest_from_a_terminal(tmp_path: Path) -> None:
    with cluster(tmp_path, terminals=1) as city:
        hub, terminal = city.hub, city.terminals[0]
        sha256 = upload(hub, photo(1, 400, 300))
        before = file_report(hub, city.incident, "バックアップの前", sha256)["id"]
        city.await_equal(within_s=10)
        file, secret = tmp_path / "hub.backup", tmp_path / "secret.txt"
        made = hub.json("backup", str(file))  # while it runs
        secret.write_text(made["secret"].lower() + "\n")  # as somebody typed it from the sheet
        after = city.report(hub, "バックアップのあと、本部で")["id"]
        city.await_equal(within_s=10)
        hub.kill()
        alone = city.report(terminal, "本部がない間に、端末で")["id"]

        checked = hub.json("verify", str(file), "--secret-file", str(secret))
        assert checked["opened"] and checked["attachments"] >= 1
        again = NodeProcess("hub-again", tmp_path / "hub-again", port=hub.port, token=hub.token)
        told = again.json("restore", str(file), "--secret-file", str(secret))
        assert told["node_id"] == made["node_id"] == checked["node_id"]
        city.hub = again
        again.start()
        try:
            eventually(lambda: terminal.status()["hub"]["state"] == "connected", 30, "the terminal found its hub")
            city.await_equal(within_s=20)
            assert {report["id"] for report in again.every("damage-reports")} == {before, after, alone}
            assert fetched(again, sha256)
            own = city.report(again, "戻った本部で")["id"]
            city.await_equal(within_s=10)
            numbers = [terminal.get(f"damage-reports/{report}")["number"] for report in (before, after, alone, own)]
            assert len(set(numbers)) == 4, "a number that people read was given twice"
        finally:
            again.stop()


def test_restore_refuses_beside_a_running_node_and_says_what_opens_a_backup(tmp_path: Path) -> None:
    node = NodeProcess("hub", tmp_path / "hub")
    node.command("init", "--role", "hub", "--name", "本部", "--json")
    file, secret = tmp_path / "hub.backup", tmp_path / "secret.txt"
    secret.write_text("the words of the safe\n")
    plain = node.command("backup", str(file), "--secret-file", str(secret)).stdout
    assert "tomoshibi verify" in plain and "secret" not in plain
    asked = node.command("restore", str(file), "--replace", check=False)
    assert asked.returncode == 1 and "--secret-file" in asked.stderr
    node.start()
    try:
        refused = node.command("restore", str(file), "--replace", "--secret-file", str(secret), check=False)
        assert refused.returncode == 1 and "in use by process" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    finally:
        node.stop()
    told = json.loads(node.command("restore", str(file), "--replace", "--secret-file", str(secret), "--json").stdout)
    assert Path(told["set_aside"], "tomoshibi.db").exists()
