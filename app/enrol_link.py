"""What a new device needs to know, as one text: the hub's addresses and the one-time code. Pure.

Before: the page of devices shows it as a QR code, for a scanner that types, or to be copied. After: the page of a
device that is not enrolled, or `enrol --link`. It holds the code: it is as secret as that.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from app.errors import Invalid

SCHEME, HUBS_MAX, CHARS_MAX = "tomoshibi", 8, 2000
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>[\w.-]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>\d{1,5}))?/?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Link:
    hubs: tuple[str, ...]
    code: str

    def text(self) -> str:
        said = [("hub", hub) for hub in self.hubs] + [("code", self.code)]
        return f"{SCHEME}://enrol?{urlencode(said, safe=':/')}"

    @staticmethod
    def parse(text: str) -> Link:
        """Read a link as it was pasted or scanned. Raises Invalid."""
        try:
            parts = urlsplit(text.strip())
            said = parse_qsl(parts.query, max_num_fields=HUBS_MAX + 8)
        except ValueError as error:
            raise _unclear() from error
        hubs = tuple(value for name, value in said if name == "hub")
        codes = [value for name, value in said if name == "code"]
        is_ours = (parts.scheme, parts.netloc) == (SCHEME, "enrol") and len(text) <= CHARS_MAX
        if not is_ours or len(codes) != 1 or not 0 < len(hubs) <= HUBS_MAX:
            raise _unclear()
        return Link(tuple(address(hub) for hub in hubs), codes[0])


def is_link(text: str) -> bool:
    return text.strip().lower().startswith(f"{SCHEME}:")


def address(text: str) -> str:
    """A hub's address as a person typed it: without a scheme it is the one that a hub beyond loopback has."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or int(found["port"] or 1) > 65_535:
        raise Invalid("bad_address", "this is no address of a hub", "As in https://192.168.1.5:8400.", field="hub")
    scheme = found["scheme"] or ("http" if found["host"] in _LOOPBACK else "https")
    return f"{scheme}://{found['host']}" + (f":{found['port']}" if found["port"] else "")


def addresses(settings: Any, asked_at: str) -> tuple[str, ...]:
    """Where a device may find this node: as its own page was just called, its names, its address on the network."""
    scheme = "https" if settings.serves_tls else "http"
    host, _, port = asked_at.rpartition(":") if asked_at.rpartition(":")[2].isdecimal() else (asked_at, "", "")
    tail = f":{port}" if port else ""
    found = [host] if host not in _LOOPBACK else []
    found += [name.strip() for name in settings.names.split(",") if name.strip()]
    if settings.host not in (*_LOOPBACK, "::1"):
        found += _own_address()
    return tuple(dict.fromkeys(f"{scheme}://{name}{tail}" for name in [*found, *([] if found else [host])]))[:HUBS_MAX]


def _own_address() -> list[str]:
    """The address that this machine would speak from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return [str(probe.getsockname()[0])]
        except OSError:
            return []


def _unclear() -> Invalid:
    return Invalid("bad_link", "this is no enrolment link", "Copy all of it, from tomoshibi: on.", field="code")
