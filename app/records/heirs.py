"""Heirs (引き継ぐ端末): the ordered list that the city's root signed. One record; its id is the root's fingerprint."""

from __future__ import annotations

from sync import signing
from sync.heirs import HeirList
from sync.kinds import Field, Kind
from sync.operation import CITY, Change

KIND = Kind("heirs", city=True, fields={"ordered": Field("packed")})


def ordered(root_public: bytes, listed: HeirList) -> Change:
    fields = {"ordered": listed.to_field()}
    return Change(KIND.name, signing.root_fingerprint(root_public), CITY, fields, replaces=None)
