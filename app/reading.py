"""What pages ask of a node about its records; of the node as it is, or as it was (``replay/past``).

Both hand in a connection to read with. Before: ``node`` and ``replay``. After: the views and the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.queries import log as log_queries
from app.queries.arrivals import Here
from sync.operation import Version

if TYPE_CHECKING:
    from app.store.engine import Connection
    from sync.replica import Replica


class Reading:
    """``reader`` and what is asked through it."""

    replica: Replica

    def reader(self) -> Connection:
        raise NotImplementedError

    @property
    def hub_node(self) -> bytes | None:
        raise NotImplementedError

    @property
    def is_hub(self) -> bool:
        raise NotImplementedError

    def heads(self, kind: str, scope: str | bytes, record_id: str) -> dict[str, list[dict[str, Any]]]:
        return log_queries.heads(self.reader(), kind, scope, record_id)

    def history(self, kind: str, scope: str | bytes, record_id: str) -> list[dict[str, Any]]:
        return log_queries.history(self.reader(), kind, scope, record_id)

    def versions(self, kind: str, scope: str | bytes, record_id: str) -> tuple[Version, ...]:
        return log_queries.versions(self.reader(), kind, scope, record_id)

    def elements(self, kind: str, scope: str | bytes, record_id: str) -> dict[str, list[list[Any]]]:
        return log_queries.elements(self.reader(), kind, scope, record_id)

    def delivery(self, kind: str, scope: str | bytes, record_id: str) -> dict[str, Any]:
        """{saved_at, hub_at}: facts from receipts; None is "not yet"."""
        node = self.replica.identity.node_id
        return log_queries.delivery(self.reader(), node, self.hub_node, self.is_hub, kind, scope, record_id)

    def here(self) -> Here:
        """Which node asks, for what is proved by receipts."""
        return Here(self.replica.identity.node_id, self.hub_node, self.is_hub)

    def unsent(self) -> int:
        if self.is_hub:
            return 0
        return log_queries.unsent_count(self.reader(), self.replica.identity.node_id, self.hub_node)

    def unsent_records(self) -> list[dict[str, Any]]:
        if self.is_hub:
            return []
        return log_queries.unsent_records(self.reader(), self.replica.identity.node_id, self.hub_node)
