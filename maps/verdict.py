"""Which floors of a shelter stay above the flood that is assumed for its place. Pure.

Before: ``hazard`` answers for the site. After: the page draws the stack of floors. Two rules that agree wherever both
speak: a storey's number must be at least the rank (it holds for all 31 flood sites of Toda), and its floor must stand
as high as the water may. With the first floor 0.5 m above the ground and 3.2 m a storey the second rule
gives the first for the ranks 1 to 4 (0.5, 3, 5, 10 m), and goes on where the first would be too kind (rank 5: 20 m).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

FIRST_FLOOR_M = 0.5
STOREY_M = 3.2
FLOORS_SHOWN_MAX = 12

State = Literal["usable", "upper", "none", "unknown_floors", "unknown_depth", "not_assessed"]
FloorState = Literal["usable", "flooded", "above", "unsure", "unsafe"]


@dataclass(frozen=True, slots=True)
class Floor:
    """A storey: ``above`` is dry but not named as usable, ``unsure`` over water whose depth nobody gave,
    ``unsafe`` on ground that the river may take."""

    number: int
    state: FloorState
    places: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """``floors`` from the top. ``places``: in the usable storeys; None where the city did not say for one of them."""

    state: State
    floors: tuple[Floor, ...]
    usable: tuple[int, ...]
    lowest: int | None
    places: int | None
    eroding: bool = False


NOT_ASSESSED = Verdict("not_assessed", (), (), None, None)


def floor_height_m(floor: int) -> float:
    """How high the floor of a storey stands above the ground; a basement below it."""
    return FIRST_FLOOR_M + STOREY_M * (floor - 1) if floor > 0 else STOREY_M * floor


def clears(floor: int, rank: int, high_m: float | None) -> bool:
    """Whether a storey stays above a depth of this rank that may reach ``high_m`` (None: open, nothing clears it)."""
    if rank == 0:
        return True
    return high_m is not None and floor >= rank and floor_height_m(floor) >= high_m - 1e-9


def verdict_of_site(
    *,
    assessed: bool,
    rank: int | None,
    high_m: float | None,
    eroding: bool,
    floors: Sequence[int] | None,
    capacity_by_floor: Mapping[str, int] | None,
) -> Verdict:
    """The verdict on a site; ``rank`` is the worst within its edge."""
    named = tuple(sorted(set(floors or ())))
    places = {floor: (capacity_by_floor or {}).get(str(floor)) for floor in named}
    if not assessed:
        return NOT_ASSESSED
    if rank is None:
        return Verdict("unknown_depth", _stack(named, places, set(), "unsure"), (), None, None, eroding)
    if not named:
        return Verdict("unknown_floors", (), (), None, None, eroding)
    usable = tuple(floor for floor in named if clears(floor, rank, high_m) and not eroding)
    clear = {floor for floor in range(named[0], named[-1] + 1) if clears(floor, rank, high_m)}
    stack = _stack(named, places, clear, "flooded", "unsafe" if eroding else "usable")
    if not usable:
        return Verdict("none", stack, (), None, None, eroding)
    counted = [places[floor] for floor in usable]
    total = None if None in counted else sum(number for number in counted if number is not None)
    state: State = "usable" if rank == 0 or usable == named == tuple(range(1, named[-1] + 1)) else "upper"
    return Verdict(state, stack, usable, usable[0], total, eroding)


def _stack(
    named: Sequence[int],
    places: Mapping[int, int | None],
    clear: set[int],
    otherwise: FloorState,
    usable: FloorState = "usable",
) -> tuple[Floor, ...]:
    """Every storey from the highest that the city named down to the ground, or to its lowest basement."""
    if not named:
        return ()
    shown = range(named[-1], min(named[0], 1) - 1, -1)
    found = []
    for floor in [number for number in shown if number != 0][:FLOORS_SHOWN_MAX]:
        state: FloorState = otherwise
        if floor in clear:
            state = usable if floor in named else "above"
        found.append(Floor(floor, state, places.get(floor)))
    return tuple(found)
