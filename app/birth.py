"""How a node begins: its keys, its empty store, and for a hub the city's root and the first certificate.

Before: ``init``. After: ``Node.open`` finds it all in the data folder. The root's private half is
never in the store: it goes into the recovery file, under a secret that is printed once.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app import recovery
from app.config import Settings
from app.errors import Invalid
from app.records import nodes as node_records
from app.records import shape
from app.store import engine, identity, label, meta
from app.store.blobs import BlobFile
from app.store.durable import write_durably
from app.store.envelope import as_passphrase, new_secret, seal, unseal
from app.store.errors import KeyFileDamaged, StoreExists
from app.store.folder import DataFolder
from app.store.keys import NodeKeys, keep_recovery, write_keys
from app.store.label import Label
from app.store.migrations import migrate
from app.tls import held
from sync import signing
from sync.certificate import CAPABILITIES, Certificate
from sync.signing import SigningKey

RECOVERY_PURPOSE = "tomoshibi:recovery:1"
HUB_LABEL = "H1"


@dataclass(frozen=True, slots=True)
class Born:
    node_id: str
    role: str
    name: str
    home: str
    admin_code: str | None = None
    recovery_secret: str | None = None
    recovery_file: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def refuse_existing(folder: DataFolder) -> None:
    if folder.holds_node() or folder.recovery.exists():
        raise StoreExists(f"there is already a node in {folder.path}")


def make_node(folder: DataFolder, role: str, name: str, settings: Settings, passphrase: bytes | None) -> Born:
    """Make a node where none is. What was begun and failed is taken away again."""
    name = shape.text(shape.NAME_CHARS_MAX, lines=False)("name", name)
    if role not in ("hub", "terminal"):
        raise Invalid("unknown_code", f"{role} is not a role of a node", "Use hub or terminal.", field="role")
    engine.refuse_old_engine()
    refuse_existing(folder)
    folder.make()
    with folder.lock():
        refuse_existing(folder)
        try:
            with engine.saying_why(folder.database):
                return _make(folder, role, name, settings, passphrase)
        except BaseException:
            _take_away(folder)
            raise


def _make(folder: DataFolder, role: str, name: str, settings: Settings, passphrase: bytes | None) -> Born:
    keys = NodeKeys.generate()
    write_keys(folder.keys, keys, passphrase)
    facts: dict[str, bytes | str] = {"name": name, "role": role}
    secret = None
    if role == "hub":
        root = SigningKey.generate()
        secret = _write_recovery(folder.recovery, root)
        facts |= {"root_public": root.public, "certificate": _first_certificate(root, keys, name).encode()}
        facts |= _first_leaf(root, keys) | {recovery.FACT: recovery.signed_public(root)}
        keep_recovery(folder.keys, keys, signing.sealing_public(recovery.seed_of(root.seed)))

    def fill(connection: engine.Connection) -> None:
        migrate(connection)
        for key, value in facts.items():
            meta.write(connection, key, value)
        identity.keep(folder.identity, keys.data_key, connection)

    engine.create_database(folder.database, keys.data_key, fill=fill)
    BlobFile(folder.blobs, keys.data_key).close()  # made now, so that a refused command later changes nothing
    node_id = signing.node_id_of(SigningKey(keys.signing_seed).public).hex()
    label.keep(folder.label, Label(name, node_id))
    if secret is None:
        return Born(node_id, role, name, str(folder.path))
    code = _first_words(folder, keys, settings, name)
    return Born(node_id, role, name, str(folder.path), code, secret, str(folder.recovery))


def _first_certificate(root: SigningKey, keys: NodeKeys, name: str) -> Certificate:
    return Certificate.make(
        root,
        None,
        root=signing.root_fingerprint(root.public),
        public=SigningKey(keys.signing_seed).public,
        sealing=signing.sealing_public(keys.sealing_seed),
        name=name,
        label=HUB_LABEL,
        capabilities=CAPABILITIES,
        issued_ms=time.time_ns() // 1_000_000,
        serial=secrets.token_bytes(16),
    )


def _first_leaf(root: SigningKey, keys: NodeKeys) -> dict[str, bytes]:
    """The city's TLS authority (its key is the root's: nothing more is to be kept), and the hub's own leaf."""
    node_id = signing.node_id_of(SigningKey(keys.signing_seed).public)
    now_ms = time.time_ns() // 1_000_000
    return held.of_root(root.seed, node_id).renewed(node_id, HUB_LABEL, (), now_ms, hub=True).facts()


def _write_recovery(path: Path, root: SigningKey) -> str:
    """Seal the root's private half; its secret is made here, never a passphrase that lies on a disk."""
    secret = new_secret()
    sealed = seal(root.seed, as_passphrase(secret.encode()), RECOVERY_PURPOSE)
    document = {"version": 1, "holds": "city root", "root_public": root.public.hex(), **sealed}
    write_durably(path, json.dumps(document, indent=1).encode() + b"\n")
    return secret


def read_recovery(path: Path, secret: bytes) -> SigningKey:
    """The city's root from its recovery file. Raises WrongKey, KeyFileDamaged, OSError."""
    try:
        document = json.loads(path.read_bytes())
        root = SigningKey(unseal(document, as_passphrase(secret), RECOVERY_PURPOSE))
        fits = root.public.hex() == document["root_public"]
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileDamaged(f"{path.name} is not a recovery file") from error
    if not fits:
        raise KeyFileDamaged(f"{path.name} names another root than it holds")
    return root


def _first_words(folder: DataFolder, keys: NodeKeys, settings: Settings, name: str) -> str:
    """The hub names itself in the log, and keeps a one-time code for its first administrator."""
    from app.accounts import Accounts
    from app.node import Node

    node = Node.open(folder, keys, settings)
    try:
        code, keep = Accounts(node).new_code(role="admin")
        change = node_records.enrolled(node.node_id, name, HUB_LABEL, "hub", sorted(CAPABILITIES))
        node.write([change], None, local=keep)
        return code
    finally:
        node.close()


def _take_away(folder: DataFolder) -> None:
    databases = (folder.database, folder.blobs)
    checks = [engine.check_path(database) for database in databases]
    for path in (
        folder.keys,
        folder.device_secret,
        folder.label,
        folder.recovery,
        folder.incarnation,
        folder.identity,
        *checks,
        *databases,
    ):
        for found in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            found.unlink(missing_ok=True)
