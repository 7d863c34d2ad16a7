"""What the machine under a node says of itself: its battery, the room on its disk. Read where a page asks for it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

POWER = Path("/sys/class/power_supply")
LOW_PERCENT = 15


@dataclass(frozen=True, slots=True)
class Battery:
    percent: int
    charging: bool

    @property
    def low(self) -> bool:
        """It may end before what waits here has gone out."""
        return self.percent <= LOW_PERCENT and not self.charging


def battery(power: Path = POWER) -> Battery | None:
    """The first battery of the machine; None where there is none, or none that Linux tells of."""
    try:
        for supply in sorted(power.iterdir()):
            if _said(supply, "type") == "Battery" and _said(supply, "scope") != "Device":  # a mouse has one too
                percent = _said(supply, "capacity")
                if percent.isdigit():
                    return Battery(int(percent), _said(supply, "status") in ("Charging", "Full", "Not charging"))
    except OSError:
        return None
    return None


def free_mb(folder: Path) -> int:
    """How much room the disk has where the node keeps its records."""
    return shutil.disk_usage(folder).free // 1024**2


def _said(supply: Path, name: str) -> str:
    path = supply / name
    return path.read_text("utf-8").strip() if path.exists() else ""
