"""A tablet that was switched off: real processes, its PIN guessed over restarts, and its unsent work brought home."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.cluster import Cluster, NodeProcess, cluster, eventually, http

PIN, NEW_PIN = "190417", "20191012-tone"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, terminals=1) as built:
        yield built


def state(node: NodeProcess) -> str:
    try:
        document = http().get(f"{node.url}/healthz", timeout=5).json()
    except requests.RequestException:
        return "opening"  # it answers again when the store is open
    return str(document.get("state", "open"))


def typed(node: NodeProcess, pin: str) -> tuple[int, str]:
    """What a person does on the page."""
    page = http().get(node.url, timeout=5).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token
    answer = http().post(f"{node.url}/unlock", {"form_token": token[1], "pin": pin}, timeout=20, allow_redirects=False)
    return answer.status_code, answer.text


@pytest.mark.deep
def test_a_tablet_whose_pin_was_guessed_ten_times_is_opened_by_hq_and_its_unsent_work_arrives(
    town: Cluster, tmp_path: Path
) -> None:
    tablet, hub = town.terminals[0], town.hub
    secret = tmp_path / "secret.txt"
    secret.write_text(hub.born["recovery_secret"] + "\n")
    hub.stop()
    kept = town.report(tablet, "橋が流された")["id"]
    tablet.command("pin", "set", "--pin-stdin", text=PIN + "\n")
    tablet.stop()
    assert [slot["kind"] for slot in tablet.json("slots")["slots"]] == ["recovery", "pin"]

    left = 10
    while left:  # three tries a start, as the pause allows
        tablet.start()
        assert state(tablet) == "locked"
        page = http().get(tablet.url, timeout=5).text
        assert "再起動後・未解錠" in page and "橋が" not in page and "訓練の台風" not in page
        for _ in range(min(3, left)):
            status, answer = typed(tablet, "271828")
            left -= 1
            assert status == 403
            assert f"あと {left} 回" in answer if left else "PINでは開けなくなりました" in answer
        tablet.stop()

    tablet.start()
    assert typed_by_command(tablet, PIN).returncode == 1
    said = typed_by_command(
        tablet, NEW_PIN, "--recovery-file", str(hub.home / "recovery.tomoshibi"), "--secret-file", str(secret)
    )
    assert said.returncode == 0, said.stderr
    eventually(lambda: state(tablet) == "open", 30, "the tablet is open")
    hub.start()
    eventually(lambda: hub.call("GET", f"damage-reports/{kept}").status_code == 200, 20, "the unsent report arrived")

    tablet.stop()
    tablet.start()
    assert typed(tablet, NEW_PIN)[0] == 303
    eventually(lambda: state(tablet) == "open", 30, "the new PIN opens it")
    assert "/login" in http().get(tablet.url, timeout=5).url


def typed_by_command(node: NodeProcess, pin: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return node.command("unlock", *arguments, "--pin-stdin", text=pin + "\n", check=False)


@pytest.mark.deep
def test_hq_sees_that_a_tablet_was_started_again_and_is_locked_until_somebody_unlocks_it(town: Cluster) -> None:
    tablet, hub = town.terminals[0], town.hub
    tablet.command("pin", "set", "--pin-stdin", text=PIN + "\n")
    assert hub.json("status")["locked"] == []
    tablet.stop()
    tablet.start()
    locked = eventually(lambda: hub.json("status")["locked"], 20, "HQ hears that the tablet is locked")
    assert [one["label"] for one in locked] == ["T01"] and "T" in locked[0]["locked_since_at"]
    assert "started again and is locked" in hub.command("doctor", check=False).stdout
    assert typed(tablet, PIN)[0] == 303
    eventually(lambda: hub.json("status")["locked"] == [], 20, "it connects")
