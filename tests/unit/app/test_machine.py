"""A battery that ends takes what was not sent yet with it for the night: the pages warn in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import machine


def supply(power: Path, name: str, **said: str) -> None:
    (power / name).mkdir(parents=True)
    for key, value in said.items():
        (power / name / key).write_text(f"{value}\n")


@pytest.mark.parametrize(
    ("percent", "status", "low"),
    [("15", "Discharging", True), ("16", "Discharging", False), ("4", "Charging", False)],
)
def test_a_battery_is_low_at_fifteen_per_cent_unless_it_is_fed(
    tmp_path: Path, percent: str, status: str, low: bool
) -> None:
    supply(tmp_path, "AC", type="Mains", online="0")
    supply(tmp_path, "BAT0", type="Battery", capacity=percent, status=status)
    found = machine.battery(tmp_path)
    assert found is not None and (found.percent, found.low) == (int(percent), low)


def test_a_machine_without_a_battery_and_one_with_a_mouse_have_none(tmp_path: Path) -> None:
    assert machine.battery(tmp_path / "nowhere") is None
    supply(tmp_path, "hidpp", type="Battery", scope="Device", capacity="3", status="Discharging")
    assert machine.battery(tmp_path) is None
