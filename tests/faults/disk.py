"""What a disk may hold after a power cut, from a record of what a process asked of it (``shim.c``). Pure.

Synced bytes are there. Of what was written since, any subset of 4 KiB pages may be there, in any order, and a page may
be torn between its sectors. A file may have grown over bytes that never came: zeros, or what lay there before. Names
(creation, rename, removal) are kept in their order, as a journal does, up to any place after the folder's last sync.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

PAGE, SECTOR = 4096, 512
_HEAD = struct.Struct("=c3xIQQQ")


@dataclass(frozen=True, slots=True)
class Event:
    what: str  # w(rite) t(runcate) s(ync) d (folder's sync) r(ename) u(nlink) a (somebody was told)
    name: str
    inode: int = 0
    offset: int = 0
    data: bytes = b""


def read_trace(data: bytes) -> list[Event]:
    events: list[Event] = []
    at = 0
    while at < len(data):
        what, name_length, inode, offset, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name = data[at : at + name_length].decode()
        at += name_length
        carried = length if what in b"wr" else 0
        events.append(Event(what.decode(), name, inode, offset, data[at : at + carried]))
        at += carried
    return events


@dataclass(slots=True)
class File:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # (offset, bytes), or (size, None)


@dataclass
class Disk:
    """The disk as it is at one place of the record: what is safe, and what may or may not have reached it."""

    files: dict[int, File] = field(default_factory=dict)  # by inode, while it has a name
    names: dict[str, File] = field(default_factory=dict)  # as the folder's last sync left them
    moves: list[tuple[str, str, File]] = field(default_factory=list)  # (name, its new name or "", the file)
    current: dict[str, File] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    ignored_syncs: str = ""  # the end of a file's name whose syncs do nothing: a disk that lies

    def take(self, event: Event) -> None:
        if event.what == "a":
            self.told.append(event.name)
        elif event.what == "d":
            self.names, self.moves = dict(self.current), []
        elif event.what == "r":
            self._move(event.name, event.data.decode())
        elif event.what == "u":
            self._move(event.name, "")
        else:
            self._change(event)

    def _change(self, event: Event) -> None:
        file = self.files.get(event.inode)
        if file is None or self.current.get(event.name) is not file:
            file = self.files[event.inode] = File()  # an inode without a name is another file's the next time
            self.current[event.name] = file
            self.moves.append(("", event.name, file))
        if event.what == "w":
            file.pending.append((event.offset, event.data))
        elif event.what == "t":
            file.pending.append((event.offset, None))
        elif not (self.ignored_syncs and event.name.endswith(self.ignored_syncs)):
            for offset, data in file.pending:
                _apply(file.synced, offset, data)
            file.pending.clear()

    def _move(self, name: str, to: str) -> None:
        file = self.current.pop(name, None) or File()
        if to:
            self.current[to] = file
        self.moves.append((name, to, file))

    def after_a_cut(self, chance: random.Random) -> dict[str, bytes]:
        """The files of one state that the power cut may leave, by name."""
        names = dict(self.names)
        for name, to, file in self.moves[: chance.randint(0, len(self.moves))]:
            names.pop(name, None)
            if to:
                names[to] = file
        reach = chance.choice((0.0, 1.0, 1.0, chance.random()))  # how much of it the disk had written
        return {PurePath(name).name: _content(file, reach, chance) for name, file in names.items()}


def _content(file: File, reach: float, chance: random.Random) -> bytes:
    if not file.pending:
        return bytes(file.synced)
    content = bytearray(file.synced)
    garbage = chance.random() < 0.2
    for offset, data in file.pending:
        if data is None:
            if chance.random() < reach:
                _apply(content, offset, None)
            continue
        for at, piece in _pieces(offset, data):
            drawn = chance.random()
            if drawn < reach * 0.9 or reach == 1.0:
                _write(content, at, piece, garbage, chance)
            elif drawn < reach:  # torn
                for start, sector in _sectors(at, piece):
                    if chance.random() < 0.5:
                        _write(content, start, sector, garbage, chance)
    return bytes(content)


def _write(content: bytearray, at: int, piece: bytes, garbage: bool, chance: random.Random) -> None:
    if garbage and at > len(content):  # the file has grown over what never came
        content.extend(chance.randbytes(at - len(content)))
    _apply(content, at, piece)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _pieces(offset: int, data: bytes, size: int = PAGE) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        length = size - (offset + at) % size
        yield offset + at, data[at : at + length]
        at += length


def _sectors(offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    return _pieces(offset, data, SECTOR)
