"""The commands as real processes: what they make, what they refuse, alone and beside a running node."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import PASSPHRASE, NodeProcess, environment, http

ROLES = ("admin", "commander", "hq_operator", "shelter_staff", "patrol", "viewer")


@pytest.fixture(scope="module")
def born(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub and a terminal, as `init` left them: each test works on a copy."""
    folder = tmp_path_factory.mktemp("born")
    NodeProcess("hub", folder / "hub").command("init", "--role", "hub", "--name", "本部")
    NodeProcess("terminal", folder / "terminal").command("init", "--role", "terminal", "--name", "巡回A")
    return folder


@pytest.fixture
def hub(born: Path, tmp_path: Path) -> Iterator[NodeProcess]:
    shutil.copytree(born / "hub", tmp_path / "hub")
    node = NodeProcess("hub", tmp_path / "hub")
    yield node
    node.stop()


@pytest.fixture
def terminal(born: Path, tmp_path: Path) -> Iterator[NodeProcess]:
    shutil.copytree(born / "terminal", tmp_path / "terminal")
    node = NodeProcess("terminal", tmp_path / "terminal")
    yield node
    node.stop()


def refused(node: NodeProcess, *arguments: str, status: int = 1, text: str | None = None) -> str:
    """The one line on stderr of a command that is refused; it changed no file of the data folder."""
    before = files(node.home)
    finished = node.command(*arguments, text=text, check=False)
    assert finished.returncode == status, finished.stderr
    assert finished.stdout == ""
    assert finished.stderr.startswith("tomoshibi: ") and finished.stderr.count("\n") == 1, finished.stderr
    assert files(node.home) == before
    return finished.stderr


def files(home: Path) -> dict[str, bytes]:
    """What lies in a data folder, but for the lock, the running node's files and the store's bookkeeping.

    A terminal that was refused keeps the keys that it asked a certificate for: it asks with them again.
    """
    moving = (".db", ".db-wal", ".db-shm", "lock", ".sock", "ballast", "beacon.json")
    return {path.name: path.read_bytes() for path in home.glob("*") if not path.name.endswith(moving)}


# -- init ------------------------------------------------------------------------------------------


def test_init_of_a_hub_says_all_that_a_person_must_keep(tmp_path: Path) -> None:
    node = NodeProcess("hub", tmp_path / "hub")
    born = node.json("init", "--role", "hub", "--name", "本部")
    assert {"node_id", "role", "name", "admin_code", "recovery_secret", "recovery_file"} <= set(born)
    assert (born["role"], born["name"], len(born["node_id"])) == ("hub", "本部", 32)
    recovery = Path(born["recovery_file"]).read_text()
    assert json.loads(recovery)["kdf"]["name"] == "argon2id"
    assert born["recovery_secret"] not in recovery


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes of this kind")
def test_what_init_makes_is_for_its_owner_only(hub: NodeProcess) -> None:
    assert hub.home.stat().st_mode & 0o777 == 0o700
    secret = ("key.json", "tomoshibi.db", "recovery.tomoshibi")
    assert {(hub.home / name).stat().st_mode & 0o777 for name in secret} == {0o600}


def test_init_refuses_an_existing_home_and_changes_nothing(hub: NodeProcess) -> None:
    database = (hub.home / "tomoshibi.db").read_bytes()
    assert "already a node" in refused(hub, "init", "--role", "terminal", "--name", "x")
    assert (hub.home / "tomoshibi.db").read_bytes() == database


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--role", "king", "--name", "x"), 2),
        (("--role", "hub"), 2),
        (("--name", "x"), 2),
        (("--role", "hub", "--name", ""), 2),
        (("--role", "hub", "--name", " "), 1),
        (("--role", "hub", "--name", "x" * 101), 1),
        (("--role", "hub", "--name", "x", "--nonsense"), 2),
    ],
)
def test_init_that_cannot_be_done_makes_nothing(tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    node = NodeProcess("hub", tmp_path / "hub")
    refused(node, "init", *arguments, status=status)
    assert not node.home.exists()


# -- keys ------------------------------------------------------------------------------------------


def test_under_a_passphrase_no_clear_key_is_on_the_disk_and_a_wrong_one_opens_nothing(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("correct horse\n")
    wrong.write_text("wrong horse\n")
    node = NodeProcess("hub", tmp_path / "hub", extra={"TOMOSHIBI_PASSPHRASE_FILE": str(right)})
    node.command("init", "--role", "hub", "--name", "本部")
    assert [slot["kind"] for slot in node.json("slots")["slots"]] == ["passphrase", "recovery"]
    assert node.json("status")["name"] == "本部"
    node.extra["TOMOSHIBI_PASSPHRASE_FILE"] = str(wrong)
    assert "passphrase" in refused(node, "status")
    assert "passphrase" in refused(node, "serve", "--port", str(node.port))
    node.extra.clear()
    assert "TOMOSHIBI_PASSPHRASE_FILE" in refused(node, "status")
    node.extra["TOMOSHIBI_PASSPHRASE_FILE"] = str(tmp_path / "none")
    assert "cannot be read" in refused(node, "status")


def test_another_nodes_key_file_is_told_as_a_wrong_key(hub: NodeProcess, terminal: NodeProcess) -> None:
    shutil.copy(terminal.home / "key.json", hub.home / "key.json")
    assert "does not open" in refused(hub, "status")


def test_a_damaged_store_is_not_told_as_a_wrong_key(hub: NodeProcess) -> None:
    path = hub.home / "tomoshibi.db"
    path.write_bytes(os.urandom(4096) + path.read_bytes()[4096:])
    assert "although its key is right" in refused(hub, "status")
    report = hub.command("doctor", check=False)
    assert report.returncode == 1 and "✗" in report.stdout


# -- settings --------------------------------------------------------------------------------------


def test_an_unknown_setting_refuses_to_start(hub: NodeProcess) -> None:
    hub.extra["TOMOSHIBI_PROT"] = "1"
    assert "TOMOSHIBI_PORT" in refused(hub, "serve")
    hub.extra.clear()
    (hub.home / "tomoshibi.toml").write_text("prot = 1\n")
    assert "port" in refused(hub, "serve")


def test_a_node_without_a_certificate_does_not_listen_beyond_loopback(terminal: NodeProcess) -> None:
    assert "in clear" in refused(terminal, "serve", "--host", "0.0.0.0", "--port", str(terminal.port))


def test_a_port_in_use_is_one_clear_error(hub: NodeProcess) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port}" in refused(hub, "serve", "--port", port)


# -- beside a running node -------------------------------------------------------------------------


def test_commands_work_beside_a_running_node_and_alone(hub: NodeProcess) -> None:
    hub.command("user", "add", "一人目", "--role", "admin", "--password-stdin", text=PASSPHRASE + "\n")
    hub.start()
    hub.command("user", "add", "二人目", "--role", "viewer", "--password-stdin", text=PASSPHRASE + "\n")
    for name in ("一人目", "二人目"):
        hub.token = hub.command("token", "create", "--user", name).stdout.strip()
        assert hub.status()["node_id"] == hub.json("status")["node_id"]
    beside = hub.json("digest")
    hub.stop()
    assert hub.json("digest") == beside


def test_rebuild_and_a_second_serve_refuse_beside_a_running_node(hub: NodeProcess) -> None:
    hub.start()
    assert hub.process is not None
    for arguments in (("rebuild",), ("serve", "--port", "0")):
        assert f"process {hub.process.pid}" in refused(hub, *arguments)


def test_rebuild_gives_an_equal_digest(hub: NodeProcess) -> None:
    hub.command("user", "add", "誰か", "--role", "admin")
    before = hub.json("digest")
    hub.command("rebuild")
    assert hub.json("digest") == before


def test_after_kill_9_the_lock_is_free_and_the_stale_socket_is_replaced(hub: NodeProcess) -> None:
    hub.start()
    hub.kill()
    assert (hub.home / "control.sock").exists()
    assert hub.json("status")["role"] == "hub", "alone, past the stale socket"
    hub.start()
    assert hub.json("status")["role"] == "hub", "beside the new process"


def test_a_power_cut_that_emptied_the_note_beside_the_store_stops_nobody(hub: NodeProcess) -> None:
    before = hub.json("digest")
    (hub.home / "incarnation.json").write_bytes(b"")
    hub.command("user", "add", "誰か", "--role", "admin")
    assert hub.json("digest") != before
    assert len(hub.json("status")["vector"]) == 2, "it writes under a new origin"


def test_sigterm_ends_a_node_cleanly(hub: NodeProcess) -> None:
    hub.start()
    assert hub.process is not None
    hub.process.terminate()
    assert hub.process.wait(10) == 0
    assert not (hub.home / "control.sock").exists()


def test_serve_says_where_it_listens(hub: NodeProcess) -> None:
    arguments = [sys.executable, "-m", "app", "--home", str(hub.home), "serve", "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.removeprefix("listening on ").strip()
        assert http().get(f"{url}/healthz", timeout=5).status_code == 200
        process.terminate()
        assert process.stdout.read() == ""
    assert process.returncode == 0


# -- people ----------------------------------------------------------------------------------------


def test_a_terminal_that_is_not_enrolled_adds_nobody(terminal: NodeProcess) -> None:
    assert "enrol" in refused(terminal, "user", "add", "巡回太郎", "--role", "patrol")


def test_a_user_without_a_passphrase_gets_a_one_time_code(hub: NodeProcess) -> None:
    for role in ROLES:
        assert len(hub.json("user", "add", f"人 {role}", "--role", role)["code"]) == 19


def test_a_user_is_put_into_a_team_by_its_name_and_into_none_that_is_not_known(hub: NodeProcess) -> None:
    assert "staff list" in refused(hub, "user", "add", "梶原", "--role", "patrol", "--team", "巡回3班")
    hub.command("user", "add", "管理者", "--role", "admin")
    hub.token = hub.command("token", "create", "--user", "管理者").stdout.strip()
    hub.start()
    team = hub.post("teams", {"name": "巡回3班"})["id"]
    assert "巡回3班" in refused(hub, "user", "add", "梶原", "--role", "patrol", "--team", "巡回4班")
    added = hub.json("user", "add", "梶原", "--role", "patrol", "--team", "巡回3班")["id"]
    assert {user["id"]: user["team"] for user in hub.get("users")["items"]}[added] == team


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("user", "add", "x", "--role", "king"), None),
        (("user", "add", "", "--role", "patrol"), None),
        (("user", "add", "x", "--role", "patrol", "--password-stdin"), ""),
        (("user", "add", "x", "--role", "patrol", "--password-stdin"), "short\n"),
        (("token", "create", "--user", "nobody"), None),
        (("revoke", "T99"), None),
        (("enrol", "--hub", "http://127.0.0.1:9", "--code", "x"), None),
    ],
)
def test_a_job_that_cannot_be_done_is_refused(hub: NodeProcess, arguments: tuple[str, ...], text: str | None) -> None:
    refused(hub, *arguments, text=text)


# -- enrolment -------------------------------------------------------------------------------------


def test_a_code_lets_one_terminal_in_and_no_second(hub: NodeProcess, terminal: NodeProcess, tmp_path: Path) -> None:
    hub.start()
    code = hub.json("enrol-code")["code"]
    assert terminal.json("enrol", "--hub", hub.url, "--code", code)["label"] == "T01"
    assert terminal.json("status")["enrolled"] is True
    second = NodeProcess("second", tmp_path / "second")
    second.command("init", "--role", "terminal", "--name", "巡回B")
    assert "used already" in refused(second, "enrol", "--hub", hub.url, "--code", code)
    assert "enrolled already" in refused(terminal, "enrol", "--hub", hub.url, "--code", code)


def test_a_code_of_another_city_is_refused_before_anything_is_said(
    hub: NodeProcess, terminal: NodeProcess, tmp_path: Path
) -> None:
    other = NodeProcess("other", tmp_path / "other")
    other.command("init", "--role", "hub", "--name", "隣の市")
    hub.start()
    code = other.json("enrol-code")["code"]
    assert "another city" in refused(terminal, "enrol", "--hub", hub.url, "--code", code)


def test_a_hub_that_does_not_answer_is_told(terminal: NodeProcess, hub: NodeProcess) -> None:
    code = hub.json("enrol-code")["code"]
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        assert "does not answer" in refused(terminal, "enrol", "--hub", url, "--code", code)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"version": 1}', b"[" * 8000, b"x" * 100_000])
def test_the_door_answers_nonsense_with_a_problem(hub: NodeProcess, body: bytes) -> None:
    hub.start()
    answer = http().post(
        f"{hub.url}/enrol/v1/request", data=body, timeout=10, headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500
    assert {"code", "hint"} <= set(answer.json())


# -- the command line itself -----------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("nonsense",), ("status", "--nonsense"), ("serve", "--port", "x"), ("user",)])
def test_wrong_usage_ends_with_2(hub: NodeProcess, arguments: tuple[str, ...]) -> None:
    finished = hub.command(*arguments, check=False)
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr


def test_a_folder_without_a_node_is_told(tmp_path: Path) -> None:
    node = NodeProcess("none", tmp_path / "none")
    for command in ("status", "serve", "rebuild", "digest"):
        assert "init" in refused(node, command)
    assert not node.home.exists()


def test_light_commands_start_quickly() -> None:
    def seconds() -> float:
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "app", "--help"], check=True, capture_output=True, env=environment())
        return time.monotonic() - began

    assert min(seconds() for _ in range(3)) < 0.4
