"""The accepting side of links: one for each socket. The web framework's namespace calls in; nothing here knows it."""

from __future__ import annotations

from collections.abc import Callable

from sync.link import Link
from sync.peers import Peers


class Hub:
    """Sockets by id. Any node accepts links; the one with the role hub is where the others call."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._links: dict[str, Link] = {}

    def connected(
        self,
        socket: str,
        send: Callable[[bytes], None],
        hang_up: Callable[[], None],
        channel: bytes = b"",
        channel_peer: bytes | None = None,
    ) -> None:
        """``channel`` and ``channel_peer``: as in ``Local``, where the transport has proved its ends."""
        link = self._peers.new_link(
            caller=False, send=send, hang_up=hang_up, channel=channel, channel_peer=channel_peer
        )
        self._links[socket] = link
        link.open()

    def received(self, socket: str, data: object) -> None:
        link = self._links.get(socket)
        if link is not None:
            link.received(data)

    def knows(self, socket: str) -> bool:
        """Whether the device at this socket has proved who it is."""
        link = self._links.get(socket)
        return link is not None and link.peer is not None

    def disconnected(self, socket: str) -> None:
        link = self._links.pop(socket, None)
        if link is not None:
            link.down()
