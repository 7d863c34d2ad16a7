"""Settings: which of four places wins, and that a misspelt one is never overlooked."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import config
from app.config import BadSetting


def toml(home: Path, text: str) -> None:
    (home / "tomoshibi.toml").write_text(text)


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    environment = {"TOMOSHIBI_HOME": str(tmp_path)}
    assert config.load({}, environment).port == 8400
    toml(tmp_path, "port = 1001")
    assert config.load({}, environment).port == 1001
    environment["TOMOSHIBI_PORT"] = "1002"
    assert config.load({"port": None}, environment).port == 1002
    assert config.load({"port": 1003}, environment).port == 1003


@pytest.mark.parametrize("name", ["passphrase_flie", "Port", "home"])
def test_an_unknown_key_of_the_file_refuses_to_start(tmp_path: Path, name: str) -> None:
    toml(tmp_path, f'{name} = "x"')
    with pytest.raises(BadSetting, match=name) as caught:
        config.load({"home": tmp_path}, {})
    assert caught.value.hint


def test_an_unknown_variable_refuses_to_start_and_the_nearest_known_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="TOMOSHIBI_PASSPHRASE_FLIE") as caught:
        config.load({"home": tmp_path}, {"TOMOSHIBI_PASSPHRASE_FLIE": "x"})
    assert "TOMOSHIBI_PASSPHRASE_FILE" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["port = 70000", "port = true", 'port = "a"', 'log_level = "loud"', "ballast_mb = -1", 'hub_url = "hub"'],
)
def test_a_value_out_of_range_names_its_setting(tmp_path: Path, text: str) -> None:
    toml(tmp_path, text)
    with pytest.raises(BadSetting, match=text.split()[0]):
        config.load({"home": tmp_path}, {})


@pytest.mark.parametrize("data", [b"port =", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "tomoshibi.toml").write_bytes(data)
    with pytest.raises(BadSetting, match=r"tomoshibi\.toml"):
        config.load({"home": tmp_path}, {})


def test_a_path_in_the_file_is_read_from_the_data_folder(tmp_path: Path) -> None:
    toml(tmp_path, 'tls_cert = "hub.pem"')
    assert config.load({"home": tmp_path}, {}).tls_cert == tmp_path / "hub.pem"
