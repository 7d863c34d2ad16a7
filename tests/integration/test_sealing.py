"""What is sealed, shredded, and put back from last week's backup: real processes, a real link, every table read."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.store import engine
from app.store.blobs import key_of
from app.store.keys import read_keys
from tests.integration.cluster import Cluster, NodeProcess, cluster, eventually, report_document

CALLER, HURT = "戸田花子カナリア", "負傷者カナリア太郎"


def canaries(home: Path) -> int:
    """How often the names stand in a node's databases, opened with its own key. The node must not run."""
    key, found = read_keys(home / "key.json", None).data_key, b""
    for path, its_key in ((home / "tomoshibi.db", key), (home / "blobs.db", key_of(key))):
        connection = engine.open_connection(path, its_key, readonly=True)
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                found += b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in tuple(row))
        connection.close()
    return sum(found.count(word.encode()) for word in (CALLER, HURT))


def sealed_report(city: Cluster, node: NodeProcess) -> str:
    document = report_document(city.incident, "冠水") | {"caller_name": CALLER, "casualty_names": HURT}
    return str(node.post("damage-reports", document)["id"])


@pytest.mark.deep
def test_last_weeks_backup_does_not_bring_back_what_was_shredded_since(tmp_path: Path) -> None:
    with cluster(tmp_path, terminals=1) as city:
        hub, terminal = city.hub, city.terminals[0]
        report = sealed_report(city, terminal)
        city.await_equal(within_s=20)
        asked = f"damage-reports/{report}?include=sealed"
        assert hub.get(asked)["caller_name"] == CALLER
        file, secret = tmp_path / "hub.backup", tmp_path / "secret.txt"
        secret.write_text(hub.json("backup", str(file))["secret"] + "\n")
        assert hub.command("shred", "hq", "--reason", "end", check=False).returncode == 1, "not without --confirm"
        assert hub.json("shred", "hq", "--reason", "end", "--confirm", "hq")["keys"] == 1
        eventually(lambda: not hub.json("grants")["orders"][0]["lacking"], 20, "the tablet has carried it out, too")
        assert hub.get(asked)["caller_name"] is None
        city.await_equal(within_s=20)
        hub.stop()
        assert canaries(hub.home) == 0

        again = NodeProcess("hub-again", tmp_path / "hub-again", port=hub.port, token=hub.token)
        again.json("restore", str(file), "--secret-file", str(secret))
        assert canaries(again.home) == 0, "before it is started"
        city.hub = again
        again.start()
        try:
            assert again.call("GET", asked).status_code == 403, "nothing sealed is shown before others were heard"
            eventually(lambda: not again.json("grants")["closed"], 60, "the tablet was heard")
            assert again.get(asked)["caller_name"] is None
            after = sealed_report(city, terminal)
            city.await_equal(within_s=20)
            assert again.get(f"damage-reports/{after}?include=sealed")["caller_name"] == CALLER, "sealing goes on"
            before = again.json("grants")["keys"]
            assert [key["shredded"] for key in before] == [True, False]
        finally:
            again.stop()
        assert canaries(again.home) == 2, "of the report that was sealed afterwards"
        terminal.stop()
        assert canaries(terminal.home) == 0
