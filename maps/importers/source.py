"""A layer as it was read, before it is cut: what ``prepare`` takes. Values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maps.layers import Fault

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself, or a person of the file. None: nobody said."""

    title: str | None = None
    source: str | None = None
    credit: str | None = None
    licence: str | None = None
    data_date: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One layer: single valid shapes in degrees (``geometry``), and a value a shape in each of ``columns``."""

    layer_kind: str
    geometry: Array
    columns: Mapping[str, Array]
    crs: str
    scenario: str | None = None
    group: str = "-"  # which river, area or file group: a part of the layer's key
    rivers: tuple[str, ...] = ()
    about: About = field(default_factory=About)
    family: str = ""  # A31, A31a, A31b …: whose credit line is due
    read: int = 0
    accepted: int = 0
    repaired: int = 0
    faults: Sequence[Fault] = ()

    @property
    def key(self) -> str:
        return f"{self.layer_kind}:{self.scenario or '-'}:{self.group}"
