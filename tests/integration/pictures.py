"""Photos for the tests of real nodes: noise, which no compression makes smaller, each another."""

from __future__ import annotations

import io
import random
from typing import Any

from PIL import Image

from tests.integration.cluster import NodeProcess, http, report_document


def photo(seed: int, width: int = 1150, height: int = 1000) -> bytes:
    """A JPEG of about 1 MB at its usual size."""
    noise = random.Random(seed).randbytes(width * height * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(out, "JPEG", quality=90)
    return out.getvalue()


def upload(node: NodeProcess, data: bytes) -> str:
    """POST /api/v1/attachments; the SHA-256 of what the node made of it."""
    answer = http().post(
        f"{node.url}/api/v1/attachments",
        files={"file": ("photo.jpg", data, "image/jpeg")},
        headers={"Authorization": f"Bearer {node.token}"},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sha256"])


def file_report(node: NodeProcess, incident: str, summary: str, sha256: str) -> Any:
    return node.post("damage-reports", report_document(incident, summary) | {"attachments": [sha256]})


def is_here(node: NodeProcess, sha256: str) -> bool:
    """Whether a node holds the file whole; it asks for it where it does not."""
    return node.call("GET", f"attachments/{sha256}", timeout=30, Range="bytes=0-0").status_code == 206


def fetched(node: NodeProcess, sha256: str) -> bytes | None:
    """The bytes of a file as the node gives them; None where they are not there."""
    answer = node.call("GET", f"attachments/{sha256}", timeout=30)
    return answer.content if answer.status_code == 200 else None
