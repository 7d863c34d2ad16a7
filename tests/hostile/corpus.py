"""Requests of somebody who means harm: bodies, headers, queries and paths that once broke some server."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

ID = "01920000-0000-7000-8000-000000000001"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def __str__(self) -> str:
        body = b"" if self.body is None else self.body[:80]
        return f"{self.method} {self.path[:120]!r} { {k: v[:60] for k, v in self.headers.items()} } {body!r}"


TEXTS = (
    "",
    "\x00",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "😀" * 50,
    "\u202e",
    "%00",
    "%ff",
    "%c0%ae",
    "../../../etc/passwd",
    "..%2f..%2f",
    "a\r\nSet-Cookie: x=1",
    "' OR 1=1 --",
    '"; DROP TABLE operation; --',
    "{{7*7}}",
    "$(id)",
    "-1",
    "9223372036854775808",
    "1e999",
    "NaN",
    "Infinity",
    "null",
    "true",
    "[]",
    "x" * 5_000,
    ID.upper(),
    ID.replace("-", ""),
    "0" * 36,
    "ﬃ",
    "İ",
    "１２３",
    "2019-10-12T25:61:61+99:99",
    "0001-01-01T00:00:00+14:00",
    "*",
)
JSON = (
    b"",
    b"{",
    b"[",
    b"null",
    b"true",
    b"1",
    b'"x"',
    b"[]",
    b"{}",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b"{}" * 2,
    b"[" * 50_000,
    b'{"a":' * 20_000,
    b'{"id":' + b"1" * 5_000 + b"}",
    b'{"total":1e400}',
    b'{"total":-1e-400}',
    b'{"total":NaN}',
    b'{"total":Infinity}',
    b'{"name":"\\ud800"}',
    b'{"name":"\\u0000"}',
    b'{"name":"\x00"}',
    b'{"name":1,"name":2}',
    b'{"' + b"k" * 60_000 + b'":1}',
    json.dumps({f"f{number}": number for number in range(3_000)}).encode(),
    b'{"id":null}',
    b'{"id":[]}',
    b'{"id":{}}',
    b'{"id":"\xc3"}',
    b'{"incident_id":{"$ne":null}}',
    b'{"__proto__":{"a":1}}',
    b'{"location":{"type":"Point","coordinates":[1e308,-1e308]}}',
    b'{"location":{"type":"Point","coordinates":[[[]]]}}',
    b'{"attachments":["' + b"0" * 64 + b'"]}',
    b'{"recipients":' + json.dumps(["x"] * 9_000).encode() + b"}",
    b'{"summary":"' + b"\xf0\x9f\x98\x80" * 15_000 + b'"}',
    b"\x00" * 1_000,
    b"{}" + b" " * 70_000,
    bytes(range(256)),
)
EDGE = "xxBOUNDARYxx"


def _part(name: str, data: bytes, more: str = "") -> bytes:
    return f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + data + b"\r\n"


MULTIPART = (
    b"",
    b"--" + EDGE.encode(),
    f"--{EDGE}--\r\n".encode(),
    _part("file", b"x"),
    _part("file", b"x", '; filename="../../x"'),
    _part("file", b"\xff\xd8\xff" + b"\x00" * 500, '; filename="a.jpg"') + f"--{EDGE}--\r\n".encode(),
    _part("file", b"GIF89a", '; filename="\x00.jpg"') + f"--{EDGE}--\r\n".encode(),
    b"".join(_part(f"f{number}", b"x") for number in range(2_000)) + f"--{EDGE}--\r\n".encode(),
    _part("file", b"x", "; " + "a" * 50_000) + f"--{EDGE}--\r\n".encode(),
    _part("\ud83d".encode("utf-8", "surrogatepass").decode("latin-1"), b"x") + f"--{EDGE}--\r\n".encode(),
    b"\r\n" * 20_000,
    f"--{EDGE}\r\n\r\n\r\n--{EDGE}--\r\n".encode(),
)
FORMS = (
    b"",
    b"=",
    b"&" * 5_000,
    b"a=%zz",
    b"a=%ff%fe",
    b"name=%00",
    b"&".join(b"f%d=1" % number for number in range(2_000)),
    b"lat=NaN&lon=Infinity",
    b"csrf_token=x&name[]=1&name[0][x]=2",
    b"back=%2F%2Fevil.example",
    b"versions=%7B%7D",
    b"versions=%5B",
    b"category=flood&summary=" + b"x" * 5_000,
    b"total=-1&male=1e9&female=%F0%9F%98%80",
    b"settings=" + b"%F0%9F%98%80" * 3_000,
    b"version=" + b"[" * 20_000,
    b"id=" + ID.encode() + b"&incident_id=" + ID.encode(),
)
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    f"multipart/form-data; boundary={EDGE}",
    "multipart/form-data",
    "text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=\u00ff",
    "application/xml",
    "",
    "a" * 3_000,
    "multipart/form-data; boundary=" + "x" * 300,
    "application/msgpack",
    "image/jpeg",
)
HEADERS = (
    {"Range": "bytes=0-"},
    {"Range": "bytes=-1"},
    {"Range": "bytes=9-1"},
    {"Range": "bytes=" + "0-1," * 2_000},
    {"Range": "bytes=99999999999999999999-"},
    {"Range": "lines=1-2"},
    {"If-Match": "*"},
    {"If-Match": '"x"'},
    {"If-Match": '"' + "f" * 5_000 + '"'},
    {"If-Match": "W/"},
    {"If-None-Match": '"' + "a," * 2_000},
    {"If-Range": "never"},
    {"If-Modified-Since": "Sat, 99 Zzz 0000 99:99:99 GMT"},
    {"Accept": "*/*;q=nan"},
    {"Accept-Language": "ja;q=x, " + "a-" * 900},
    {"Accept-Language": "../../etc"},
    {"Accept-Encoding": "gzip;q=-1"},
    {"Cookie": "tomoshibi_x=" + "A" * 4_000},
    {"Cookie": "tomoshibi_palette=\x01; tomoshibi_language=..%2f"},
    {"Cookie": "=;;;=a; \xff=\xff"},
    {"X-Forwarded-For": "1.1.1.1"},
    {"X-Forwarded-Host": "evil.example"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"Content-Encoding": "gzip"},
    {"HX-Request": "true"},
    {"HX-Current-URL": "javascript:1"},
    {"Expect": "200-ok"},
    {"Upgrade": "websocket"},
    {"Host": "evil.example"},
    {"Host": "localhost:99999"},
    {"Host": "localhost\\@evil.example"},
    {"Host": ""},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "x" * 500},
    {"Referer": "http://" + "a" * 4_000},
    {"Authorization": "Bearer"},
    {"Authorization": "Basic " + "QQ" * 500},
    {"Authorization": "Bearer " + "\xff" * 90},
    {"Authorization": "Bearer tmb_" + "a" * 100_000},
    {"Transfer-Encoding": "chunked"},
    {"Content-Length": "-5"},
    {"Content-Length": "x"},
)
QUERIES = (
    "limit",
    "since",
    "cursor",
    "incident_id",
    "bbox",
    "status",
    "lat",
    "lon",
    "accuracy_m",
    "channel_id",
    "shelter_id",
    "include",
    "back",
    "q",
    "at",
    "name",
    "field",
    "x",
    "page",
    "before",
    "after",
    "zoom",
    "settings",
    "_",
    "size",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "CONNECT", "x", "GET\x00")


def requests(rules: list[tuple[str, str]], seed: int) -> Iterator[Asked]:
    """Endless: each asks one of the doors (method, address with or without its ids filled in) in some wrong way."""
    chance = random.Random(seed)
    while True:
        method, path = chance.choice(rules)
        asked = Asked(method if chance.random() < 0.85 else chance.choice(METHODS), _path(chance, path), *_rest(chance))
        yield asked


def _path(chance: random.Random, path: str) -> str:
    path = re.sub(r"<[^>]+>", lambda _: quote(chance.choice(TEXTS), safe="%/."), path) or "/"
    if chance.random() < 0.1:
        path += quote(chance.choice(TEXTS), safe="%/.")
    if chance.random() < 0.5:
        names = chance.choices(QUERIES, k=chance.randint(1, 3))
        path += "?" + "&".join(f"{name}={quote(chance.choice(TEXTS), safe='%')}" for name in names)
    return path


def _rest(chance: random.Random) -> tuple[dict[str, str], bytes | None]:
    headers = dict(chance.choice(HEADERS)) if chance.random() < 0.4 else {}
    kind = chance.choice(TYPES)
    if chance.random() < 0.7:
        kind = chance.choice(TYPES[:3])
    bodies = {TYPES[0]: JSON, TYPES[1]: FORMS, TYPES[2]: MULTIPART}.get(kind, (*JSON, *FORMS, *MULTIPART))
    if kind:
        headers["Content-Type"] = kind
    return headers, chance.choice(bodies) if chance.random() < 0.85 else None
