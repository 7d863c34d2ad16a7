"""A hub that listens beyond loopback, so over TLS with mutual certificates; and a browser with one of the city's."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from tests.integration.cluster import NodeProcess


@dataclass
class LanHub(NodeProcess):
    """Reached as 127.0.0.1 here: what it serves is what it would serve to a tablet of the shelter's Wi-Fi."""

    host: str = "0.0.0.0"
    reached_as: str = "127.0.0.1"
    browser: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.extra["TOMOSHIBI_HOST"] = self.host
        self.browser.trust_env = False

    @property
    def url(self) -> str:
        return f"https://{self.reached_as}:{self.port}"

    def issue(self, name: str) -> dict[str, Any]:
        """A browser's certificate, as PEM files for a client that is no browser."""
        folder = self.home.parent / f"browser-{name}"
        folder.mkdir()
        made = self.json("pki", "issue", name, "--out", str(folder / "browser.p12"))
        self.json("pki", "export", "--out", str(folder / "authority.pem"))
        opened = load_pkcs12((folder / "browser.p12").read_bytes(), made["password"].encode())
        assert opened.key is not None and opened.cert is not None
        chain = [opened.cert, *opened.additional_certs]
        (folder / "chain.pem").write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in chain))
        key = opened.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with open(os.open(folder / "key.pem", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(key)
        return {**made, "folder": folder}

    def session_with(self, folder: Path) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(folder / "authority.pem")
        session.cert = (str(folder / "chain.pem"), str(folder / "key.pem"))
        session.headers["Referer"] = f"{self.url}/login"  # as a browser says over TLS, and a form is asked for
        return session

    def answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended by itself: {self.log()}")
        try:
            return stranger().get(f"{self.url}/healthz", timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def call(
        self, method: str, path: str, document: Any = None, timeout: float = 10, **headers: str
    ) -> requests.Response:
        given = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.browser.request(method, f"{self.url}/api/v1/{path}", json=document, headers=given, timeout=timeout)


def stranger() -> requests.Session:
    """Somebody on the same network with no certificate, who believes every other."""
    session = requests.Session()
    session.trust_env = session.verify = False
    return session
