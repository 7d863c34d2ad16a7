"""The product's main job, with real processes: a report filed with no network reaches HQ, and the answer comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster, cluster, eventually

REPORTS = 20


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as built:
        yield built


def test_reports_filed_while_the_hub_was_down_reach_it_once_after_a_kill(city: Cluster) -> None:
    hub, patrol = city.hub, city.terminals[0]
    hub.kill()
    ids = [city.report(patrol, f"柳橋アンダーパス 冠水 {number}")["id"] for number in range(REPORTS)]
    assert patrol.status()["unsent"] == REPORTS
    assert eventually(lambda: patrol.status()["hub"]["state"] == "down", 5, "the patrol sees that HQ is gone")

    patrol.kill()
    patrol.start()
    assert patrol.status()["unsent"] == REPORTS, "saved is saved"
    assert {item["id"] for item in patrol.every("damage-reports")} == set(ids)

    hub.start()
    city.await_equal(within_s=5)
    at_hq = [item["id"] for item in hub.every(f"damage-reports?incident_id={city.incident}")]
    assert sorted(at_hq) == sorted(ids), "every report exactly once"
    delivery = patrol.get(f"delivery/{ids[0]}")
    assert delivery["recipients"][0]["hub_at"] is not None

    question = {"channel_id": city.channel, "text": "3番の水深を知らせてください"}
    answered = hub.post("chat-messages", question)
    read = eventually(
        lambda: [m for m in patrol.every(f"chat-messages?incident_id={city.incident}") if m["id"] == answered["id"]],
        1, "the patrol reads the answer within a second",
    )  # fmt: skip
    assert read[0]["text"] == question["text"]
    numbers = {item["number"] for item in hub.every("damage-reports")}
    assert len(numbers) == REPORTS and all(number.startswith("T01-") for number in numbers)


@pytest.mark.deep
def test_the_digest_that_is_kept_is_the_one_that_the_tables_give(city: Cluster) -> None:
    for number in range(5):
        city.report(city.terminals[number % 2], f"報告 {number}")
    city.await_equal(within_s=10)
    recomputed = {node.json("digest")["public"] for node in city.nodes}
    assert recomputed == city.digests()
    before = city.digests()
    for node in city.nodes:
        node.stop()
        node.command("rebuild")
        node.start()
    assert city.digests() == before, "the tables can be made again from the log"


def test_two_terminals_that_edit_apart_both_keep_their_value(city: Cluster) -> None:
    one, two = city.terminals
    report = city.report(one, "県道12号 新田交差点")
    city.await_equal(within_s=10)
    tag = two.call("GET", f"damage-reports/{report['id']}").headers["ETag"]
    city.hub.kill()
    path = f"damage-reports/{report['id']}"
    assert one.call("PATCH", path, {"passability": "impassable"}, If_Match=tag).status_code == 200
    assert two.call("PATCH", path, {"passability": "one_lane"}, If_Match=tag).status_code == 200
    city.hub.start()
    city.await_equal(within_s=10)
    for node in city.nodes:
        assert node.get(path)["passability"] == "impassable", "the more dangerous value is shown"
        (conflict,) = node.get("conflicts")["items"]
        assert {value["value"] for value in conflict["values"]} == {"impassable", "one_lane"}
    settled = city.hub.call("PATCH", path, {"passability": "one_lane"}, If_Match="*")
    assert settled.status_code == 200
    city.await_equal(within_s=10)
    assert all(node.get("conflicts")["items"] == [] for node in city.nodes)
    assert one.get(path)["passability"] == "one_lane"


def test_a_revoked_terminal_is_refused_and_its_later_reports_do_not_count(city: Cluster) -> None:
    lost = city.terminals[0]
    honest = city.report(lost, "失くす前の報告")
    city.await_equal(within_s=10)
    node_id = lost.status()["node_id"]
    city.hub.command("revoke", node_id)
    eventually(lambda: lost.status()["hub"]["state"] == "down", 10, "the hub hung up")
    city.report(lost, "失くした後の報告")
    eventually(lambda: "revoked" in str(lost.status()["hub"].get("error", "")), 10, "the terminal is told why")
    at_hq = [item["id"] for item in city.hub.every("damage-reports")]
    assert at_hq == [honest["id"]]
    assert city.terminals[1].every("damage-reports")[0]["id"] == honest["id"]
