"""What the application hands to the log: its kinds, and what each field of a kind is.

A *kind* is a noun whose records travel (``damage-reports``). The log knows only how its fields merge:

========== ==================================================================================
register   one value; several heads where people wrote apart; the later one is shown
danger     a register whose shown head is the most dangerous by a table
set        observed-remove set; an operation carries ``{"add": [e], "drop": [[origin, seq, e]]}``
max        the greatest value ever written (read marks)
once       the earliest value ever written (a mode that is set once, a number that is given once)
========== ==================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Merge = Literal["register", "danger", "set", "max", "once"]
Shape = Literal["text", "integer", "real", "flag", "point", "id", "ids", "json", "packed", "bytes"]
Lane = Literal["work", "talk"]


_PLAIN: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "flag": (bool,),
    "real": (int, float),
    "bytes": (bytes,),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind: the shape of its value and how two values merge.

    ``order`` (for ``danger``) lists values from the most to the least dangerous, ``None`` among them.
    """

    shape: Shape
    merge: Merge = "register"
    order: tuple[Any, ...] = ()
    plain: frozenset[type] = field(init=False, default=frozenset())  # types whose every value fits

    def __post_init__(self) -> None:
        if (self.merge == "danger") != bool(self.order):
            raise ValueError("a danger field has an order, and only a danger field has one")
        types = _PLAIN.get(self.shape, ()) if self.merge in ("register", "danger", "once") else ()
        nothing = (type(None),) if self.merge in ("register", "danger") else ()
        object.__setattr__(self, "plain", frozenset((*types, *nothing)))


def normal(spec: Field, value: Any) -> Any:
    """The one form of a value, so that a row gives back what was hashed: in `real` a float, and no minus nought."""
    return float(value) + 0.0 if spec.shape == "real" and type(value) in (int, float) else value


@dataclass(frozen=True, slots=True)
class Kind:
    """A noun that travels.

    ``entry``: a ledger, whose records are written once and ordered by key.
    ``city``: its records live in the city's scope, else in an incident's.
    ``mode_field``: of the one kind whose records name scopes, the field that holds the scope's mode.
    ``keeps_visible``: given the shown values, True where a removal must not hide the record.
    ``sealed``: the scope, or family of scopes (``shelter`` of ``shelter:<id>``), that its operations are sealed to.
    """

    name: str
    fields: Mapping[str, Field]
    entry: bool = False
    city: bool = False
    lane: Lane = "work"
    mode_field: str | None = None
    keeps_visible: Callable[[Mapping[str, Any]], bool] | None = None
    sealed: str | None = None
    sets: tuple[str, ...] = field(init=False, default=())  # the fields that are observed-remove sets

    def __post_init__(self) -> None:
        object.__setattr__(self, "sets", tuple(name for name, spec in self.fields.items() if spec.merge == "set"))

    @property
    def is_fact(self) -> bool:
        """Whether verdicts stand on its records."""
        return self.mode_field is not None or self.name in _FACTS

    @property
    def table(self) -> str:
        return self.name.replace("-", "_")


# Whose record is the revoked node's id. What of that node still counts is read from the heads of `accepted`.
REVOCATIONS = Kind("revocations", {"accepted": Field("packed"), "reason": Field("text")}, city=True)

# Who can open what is sealed (``seal``, ``keyring``). A key's record is named after all that it says: it is said once.
SCOPE_KEYS = Kind(
    "scope-keys",
    {"for_scope": Field("text", "once"), "epoch": Field("integer", "once"), "public": Field("bytes", "once")},
    city=True,
)
# The hash of the wrapped key; the bytes lie beside the log, where a shred can delete them.
GRANTS = Kind(
    "grants",
    {
        "key": Field("bytes", "once"),
        "member": Field("bytes", "once"),
        "sealing": Field("bytes", "once"),  # the member's public sealing key: the next epoch is wrapped for it as well
        "wrapped": Field("bytes"),
    },
    city=True,
)
# Never taken back: what was destroyed does not come again.
SHRED_ORDERS = Kind("shred-orders", {"keys": Field("packed", "once"), "reason": Field("text")}, city=True)
OF_SEALING = (SCOPE_KEYS, GRANTS, SHRED_ORDERS)
OF_SYNC = (REVOCATIONS, *OF_SEALING)
_FACTS = frozenset(kind.name for kind in OF_SYNC)


@dataclass(frozen=True, slots=True)
class Kinds:
    """Every kind this release knows, by name, with the number of the tables' shape."""

    schema: int
    by_name: Mapping[str, Kind] = field(default_factory=dict)

    @staticmethod
    def of(schema: int, *kinds: Kind) -> Kinds:
        """The application's kinds, and those that the log has of its own."""
        kinds = (*kinds, *OF_SYNC)
        by_name = {kind.name: kind for kind in kinds}
        if len(by_name) != len(kinds):
            raise ValueError("two kinds share a name")
        return Kinds(schema, by_name)

    def get(self, name: str) -> Kind | None:
        return self.by_name.get(name)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self.by_name.values())
