"""A thief's look at every byte: two nodes and a browser used for a night's work, killed with -9, then searched.

Nothing that anybody wrote may stand in clear in a data folder, a log, a temporary file or the browser's profile.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser.chromium import FLAGS, chromium_program
from tests.browser.people import TABLET
from tests.canaries import Canaries, entropy, files_below, hits
from tests.integration.cluster import PASSPHRASE, Cluster, NodeProcess, add_person, cluster, eventually, http, new_id

REPORTS, MESSAGES, LONG_NIGHT = 20, 20, 60
ENTROPY_MIN = 7.9
Feature = Callable[[Cluster, NodeProcess, Canaries], None]


def _photo(canaries: Canaries) -> bytes:
    picture = Image.effect_noise((320, 240), 60).convert("RGB")
    tags = picture.getexif()
    for tag, what in ((0x010E, "description"), (0x010F, "maker"), (0x013B, "artist"), (0x8298, "copyright")):
        tags[tag] = canaries.new(f"photo EXIF, {what}")
    tags.get_ifd(0x8769)[0x9286] = canaries.new("photo EXIF, comment").encode("utf-16-le")
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=tags)
    return out.getvalue()


# Each is one feature of the product; a new one that takes text from people adds its line below.


def reports(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    for _ in range(REPORTS):
        fields = {name: canaries.new(f"report, {name}") for name in ("summary", "description", "address")}
        node.post("damage-reports", {"id": new_id(), "incident_id": city.incident, "category": "flood", **fields})


def edits(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    for report in node.every(f"damage-reports?incident_id={city.incident}")[:5]:
        changed = {"description": canaries.new("report, edited")}
        assert node.call("PATCH", f"damage-reports/{report['id']}", changed, If_Match="*").status_code == 200


def messages(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    for _ in range(MESSAGES):
        node.post("chat-messages", {"id": new_id(), "channel_id": city.channel, "text": canaries.new("chat")})


def photos(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    for _ in range(4):
        name = canaries.new("file name") + ".jpg"
        sent = http().post(
            f"{node.url}/api/v1/attachments", files={"file": (name, _photo(canaries))},
            headers={"Authorization": f"Bearer {node.token}"}, timeout=60,
        )  # fmt: skip
        assert sent.status_code == 201, sent.text
        document = {"id": new_id(), "incident_id": city.incident, "category": "road", "summary": canaries.new("report")}
        node.post("damage-reports", document | {"attachments": [sent.json()["sha256"]]})


def rooms(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    node.post("channels", {"id": new_id(), "incident_id": city.incident, "name": canaries.new("channel")})


def shelters(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    """Master data is the city's: written on the hub, counted on the tablet."""
    fields = {name: canaries.new(f"shelter, {name}") for name in ("name", "kana", "address", "district")}
    shelter = city.hub.post("shelters", {"id": new_id(), "capacity": 100, **fields})["id"]
    count = {"shelter_id": shelter, "total": 12, "post": canaries.new("head count, post"), "note": canaries.new("note")}
    city.hub.post("head-counts", {"id": new_id(), "incident_id": city.incident, **count})


def notices(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    words = {name: canaries.new(f"notice, {name}") for name in ("title", "body")}
    notice = city.hub.post("bulletins", {"id": new_id(), "incident_id": city.incident, "pinned": True, **words})["id"]
    withdrawn = {"withdrawn_at": "2019-10-12T21:00:00+09:00", "withdrawn_reason": canaries.new("notice, withdrawn")}
    city.hub.call("PATCH", f"bulletins/{notice}", withdrawn, If_Match="*")


def meetings(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    words = {name: canaries.new(f"meeting, {name}") for name in ("place", "others", "agenda", "information")}
    document = {"incident_id": city.incident, "meeting_no": 1, "held_at": "2019-10-12T20:00:00+09:00", **words}
    meeting = city.hub.post("hq-meetings", {"id": new_id(), **document})["id"]
    city.hub.post("hq-meeting-decisions", {"id": new_id(), "hq_meeting_id": meeting, "text": canaries.new("decision")})


def people(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    city.hub.post("teams", {"id": new_id(), "name": canaries.new("team")})
    node.command("user", "add", canaries.new("user"), "--role", "viewer", "--password-stdin", text=PASSPHRASE + "\n")


def sealed(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    """What HQ alone reads: written on the tablet, read and edited at HQ."""
    for _ in range(3):
        fields = {name: canaries.new(f"sealed, {name}") for name in ("caller_name", "caller_address", "casualty_names")}
        fields["caller_phone"] = canaries.new("sealed, caller_phone")[:40]
        document = {
            "id": new_id(),
            "incident_id": city.incident,
            "category": "rescue",
            "summary": canaries.new("report"),
        }
        node.post("damage-reports", document | fields)
    city.await_equal(60)
    for report in city.hub.every(f"damage-reports?incident_id={city.incident}")[:5]:
        city.hub.get(f"damage-reports/{report['id']}")


def refused(city: Cluster, node: NodeProcess, canaries: Canaries) -> None:
    """What is refused is not kept, and not told to the log either."""
    node.call("POST", "damage-reports", {"incident_id": city.incident, "category": canaries.new("refused category")})
    node.call("GET", f"damage-reports?words={canaries.new('unknown filter')}")
    node.call("POST", "damage-reports", {"id": canaries.new("refused id"), "summary": "x" * 70_000})
    http().get(f"{node.url}/{canaries.new('no such page')}", timeout=10)
    http().post(f"{node.url}/login", data={"name": canaries.new("wrong login"), "passphrase": "x"}, timeout=10)
    http().get(f"{node.url}/healthz", headers={"User-Agent": "x", "X-Y": canaries.new("header").encode()}, timeout=10)


FEATURES: tuple[Feature, ...] = (
    reports,
    edits,
    messages,
    photos,
    rooms,
    shelters,
    notices,
    meetings,
    people,
    sealed,
    refused,
)


class Night:
    """Two nodes that were worked on, and their temporary folder."""

    def __init__(self, folder: Path, city: Cluster) -> None:
        self.folder, self.city, self.canaries = folder, city, Canaries()
        self.rounds = 0

    @property
    def tablet(self) -> NodeProcess:
        return self.city.terminals[0]

    def work(self) -> None:
        self.rounds += 1
        add_person(self.city.hub, f"本部 検分{self.rounds}", "commander")
        add_person(self.tablet, f"巡回 検分{self.rounds}", "commander")
        for feature in FEATURES:
            feature(self.city, self.tablet, self.canaries)
        self.city.await_equal(60)

    def kill(self) -> None:
        for node in self.city.nodes:
            if node.process is not None and node.process.poll() is None:
                node.kill()

    def found(self) -> list[str]:
        return [str(hit) for hit in hits(files_below(self.folder))]


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> Any:
    with tempfile.TemporaryDirectory(prefix="t", ignore_cleanup_errors=True) as name:  # short: a socket's path is bound
        folder = Path(name)
        (folder / "tmp").mkdir()
        monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
        (folder / "nodes").mkdir()
        with cluster(folder / "nodes", terminals=1) as city:
            yield Night(folder, city)


def test_a_scan_finds_what_lies_in_clear(tmp_path: Path) -> None:
    """The search itself: in each way of writing, in a name of a file, at the end of a large one."""
    canaries = Canaries()
    text = canaries.new("planted")
    for number, coding in enumerate(("utf-8", "utf-16-le", "utf-16-be", "cp932")):
        (tmp_path / f"{number}.bin").write_bytes(os.urandom(100_000) + text.encode(coding) + b"\0")
    (tmp_path / "named-検体ぱび").write_bytes(b"")
    assert len({hit.path for hit in hits(files_below(tmp_path))}) == 5


@pytest.mark.deep
def test_nothing_that_was_written_lies_in_clear_on_a_killed_tablet_or_hub(night: Night) -> None:
    night.work()
    night.city.hub.command("backup", str(night.folder / "backup.tomoshibi"))
    night.kill()
    assert len(night.canaries.used) >= 120
    assert "\n".join(night.found()) == ""
    for node in night.city.nodes:
        for name in ("tomoshibi.db", "tomoshibi.db-wal", "blobs.db", "blobs.db-wal"):
            path = node.home / name
            if path.exists() and path.stat().st_size > 100_000:
                assert entropy(path.read_bytes()) > ENTROPY_MIN, path
    assert entropy((night.folder / "backup.tomoshibi").read_bytes()) > ENTROPY_MIN


class Browser:
    """A real Chromium with a profile on the disk, as somebody's tablet has it."""

    def __init__(self, playwright: Any, night: Night) -> None:
        self.night, self.node = night, night.tablet
        self.profile = night.folder / "profile"
        self.context = playwright.chromium.launch_persistent_context(
            str(self.profile), executable_path=chromium_program(), args=FLAGS.split(), locale="ja-JP",
            viewport={"width": TABLET[0], "height": TABLET[1]}, env=dict(os.environ),
        )  # fmt: skip
        self.context.set_default_timeout(15_000)
        self.page = self.context.pages[0]

    def go(self, path: str) -> None:
        self.page.goto(f"{self.node.url}/incidents/{self.night.city.incident}{path}")

    def log_in(self) -> None:
        self.page.goto(f"{self.node.url}/login")
        self.page.fill("[name=name]", "巡回 検分1")
        self.page.fill("[name=passphrase]", PASSPHRASE)
        self.page.click("main button.primary")
        self.page.wait_for_url("**/incidents/**")

    def work(self) -> None:
        """Files a report with a photo, leaves another half written, talks, searches, opens every kind of page."""
        canaries, incident = self.night.canaries, self.night.city.incident
        self.go("/damage-reports/new")
        self.page.set_input_files("input[type=file] >> nth=0", {
            "name": canaries.new("browser, file name") + ".jpg", "mimeType": "image/jpeg", "buffer": _photo(canaries),
        })  # fmt: skip
        self.page.locator("[data-shot]").first.wait_for()
        self.page.locator("label.tile:has(input[value=flood])").click()
        self.page.fill("[name=address]", canaries.new("browser, report"))
        self.page.get_by_role("button", name="送る").click()
        self.page.wait_for_url("**/saved")
        self.go("/damage-reports/new")
        self.page.fill("[name=address]", canaries.new("browser, half a report"))
        self.page.wait_for_timeout(900)
        self.go(f"/chat/{self.night.city.channel}")
        self.page.fill("textarea[name=text]", canaries.new("browser, chat"))
        self.page.keyboard.press("Enter")
        self.page.wait_for_timeout(300)
        self.page.fill("textarea[name=text]", canaries.new("browser, chat not sent"))
        for path in ("/damage-reports", "/shelters"):
            self.go(path)
            self.page.fill("[name=words]", canaries.new("browser, search"))
            with self.page.expect_navigation():
                self.page.keyboard.press("Enter")
        shelter = self.node.every("shelters")[0]["id"]
        report = self.node.every(f"damage-reports?incident_id={incident}")[0]["id"]
        for path in (
            f"/shelters/{shelter}",
            f"/damage-reports/{report}",
            f"/damage-reports/{report}/edit",
            "/map",
            "/map/list",
            "",
        ):
            self.go(path)
            self.page.wait_for_timeout(300)

    def kill(self) -> None:
        """`kill -9` of the whole browser, as when the tablet's battery is pulled out."""
        self.page.wait_for_timeout(6_000)  # what it writes late it has written by now: the worst that can be
        owned = subprocess.run(
            ["pgrep", "-f", "--", f"--user-data-dir={self.profile}"], capture_output=True, text=True, check=False
        )
        for pid in map(int, owned.stdout.split()):
            if pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):  # a helper that ended with the one before
                    os.kill(pid, signal.SIGKILL)


@pytest.mark.deep
def test_nothing_lies_in_clear_in_the_profile_of_a_browser_that_was_killed(playwright: Any, night: Night) -> None:
    """300 canaries through every feature, the browser's screens among them; then every byte of the tablet."""
    for _ in range(3):
        night.work()
    browser = Browser(playwright, night)
    browser.log_in()
    browser.work()
    browser.kill()
    night.kill()
    assert len(night.canaries.used) >= 300
    assert "\n".join(night.found()) == ""


@pytest.mark.deep
def test_nothing_lies_in_clear_after_logging_out_and_closing_the_browser(playwright: Any, night: Night) -> None:
    night.work()
    browser = Browser(playwright, night)
    browser.log_in()
    browser.work()
    browser.page.goto(f"{browser.node.url}/more")
    browser.page.get_by_role("button", name="ログアウト").click()
    browser.page.wait_for_url("**/login")
    browser.context.close()
    eventually(lambda: not (browser.profile / "SingletonLock").is_symlink(), 10, "the browser ended")
    night.kill()
    assert "\n".join(night.found()) == ""
