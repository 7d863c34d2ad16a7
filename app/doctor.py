"""What is wrong with this node and how to mend it. Before: `doctor`. It reads, and changes nothing."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from app.queries import nodes
from app.store import engine
from app.store.ballast import Ballast
from app.store.errors import EngineTooOld
from app.store.folder import DataFolder
from app.store.keys import slots_of
from sync import oplog, signing
from sync.errors import BadSignature, StoreFailed

State = Literal["ok", "warning", "wrong"]
MARKS: dict[State, str] = {"ok": "✓", "warning": "!", "wrong": "✗"}
DISK_WRONG_BYTES, DISK_WARNING_BYTES = 100 * 1024**2, 1024**3
CLOCK_WARNING_MS = 60_000
DAY_MS, CERTIFICATE_WARNING_DAYS = 86_400_000, 100
_UNREADABLE: tuple[type[Exception], ...] = (StoreFailed, *engine.DATABASE_ERRORS)
MEND = "Stop the node, run `tomoshibi doctor --mend` and start it again; nothing is thrown away."


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    state: State
    text: str
    hint: str = ""


def examine(node: Any) -> list[Finding]:
    """Every check, in the order of what the others stand on."""
    checks: tuple[Callable[[Any], Finding | Iterable[Finding]], ...] = (
        _engine,
        _disk,
        _ballast,
        _key_files,
        _store,
        _blobs,
        _chains,
        _gone_back,
        _sealed,
        _digest,
        _layers,
        _clock,
        _certificate,
        _peers,
    )
    return [finding for check in checks for finding in _carried_out(check, node)]


def _carried_out(check: Callable[[Any], Finding | Iterable[Finding]], node: Any) -> list[Finding]:
    """A check that meets a damaged page has found something; the others are still made."""
    try:
        found = check(node)
        return [found] if isinstance(found, Finding) else list(found)
    except _UNREADABLE as error:
        return [Finding(check.__name__.strip("_"), "wrong", f"it cannot be read: {error}", MEND)]


def _engine(node: Any) -> Finding:
    version = node.reader().execute("SELECT sqlite_version()").fetchone()[0]
    cipher = engine.pragma(node.reader(), "cipher_version")
    try:
        engine.refuse_old_engine(version)
    except EngineTooOld as error:
        return Finding("engine", "wrong", str(error), error.hint)
    if engine.pragma(node.reader(), "synchronous") != 2:
        return Finding(
            "engine",
            "wrong",
            "commits are not synced to the disk",
            "Report this; it is a fault of the program.",
        )
    return Finding("engine", "ok", f"SQLite {version}, SQLCipher {cipher}, synchronous FULL")


def _disk(node: Any) -> Finding:
    free = shutil.disk_usage(node.home).free
    text = f"{free // 1024**2:,} MiB free at {node.home}"
    hint = "Free some space: a full disk stops new records, and nothing else."
    if free < DISK_WRONG_BYTES:
        return Finding("disk", "wrong", text, hint)
    return Finding("disk", "warning", text, hint) if free < DISK_WARNING_BYTES else Finding("disk", "ok", text)


def _ballast(node: Any) -> Finding:
    ballast = Ballast(DataFolder(node.home).ballast, node.settings.ballast_mb)
    if ballast.size_mb == 0 or ballast.held():
        return Finding("ballast", "ok", f"{ballast.size_mb} MB held back for a full disk")
    hint = "`serve` takes it when it starts; after a full disk, free some space and start the node again."
    return Finding("ballast", "warning", "nothing is held back for a full disk", hint)


def _key_files(node: Any) -> Finding:
    folder = DataFolder(node.home)
    if os.name != "nt":
        files = (folder.keys, folder.device_secret, folder.database, folder.blobs)
        for path, wanted in ((folder.path, 0o700), *((path, 0o600) for path in files if path.exists())):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & ~wanted:
                return Finding(
                    "keys",
                    "wrong",
                    f"{path.name} can be read by others ({mode:o})",
                    f"chmod {wanted:o} {path}",
                )
    if folder.recovery.exists():
        hint = f"Copy {folder.recovery.name} to a medium that is kept elsewhere, then delete it here."
        return Finding("keys", "warning", "the city's recovery file still lies on this machine", hint)
    kinds = [slot["kind"] for slot in slots_of(folder.keys)]
    if "file" not in kinds:
        return Finding("keys", "ok", f"sealed; they open by: {', '.join(kinds)}")
    hint = "Use `tomoshibi pin set`, or set TOMOSHIBI_PASSPHRASE_FILE, where the disk may fall into other hands."
    return Finding("keys", "warning", "the key lies in clear beside the data, for its owner only", hint)


def _store(node: Any) -> Finding:
    faults = node.store_faults()
    if faults:
        return Finding("store", "wrong", f"{len(faults)} faults, the first: {faults[0]}", MEND)
    return Finding("store", "ok", "every page has its right seal")


def _blobs(node: Any) -> Finding:
    """Photos and layers lie in a file of their own: the log is open whatever is wrong with it."""
    faults = [node.blobs.fault] if node.blobs.fault else node.blob_faults()
    if faults:
        return Finding("attachments", "wrong", f"{len(faults)} faults, the first: {faults[0]}", MEND)
    return Finding("attachments", "ok", f"{node.blobs.count():,} files, every page has its right seal")


def _chains(node: Any) -> Finding:
    streams = operations = 0
    for number, stream, public, first_fault in verified(node.reader()):
        if first_fault:
            hint = "This copy of the log was altered or damaged: keep it, and enrol this device anew."
            return Finding("chain", "wrong", f"stream {stream.hex()[:16]} of {public}: {first_fault}", hint)
        streams, operations = streams + 1, operations + number
    return Finding("chain", "ok", f"{operations:,} operations in {streams} streams, every chain and signature holds")


def verified(connection: Any) -> Iterator[tuple[int, bytes, str, str]]:
    """For each stream: its length, its id, its node, and what is wrong with it."""
    for stream in oplog.load_streams(connection).values():
        yield stream.last, stream.id, stream.node.hex()[:8], _fault_of(connection, stream)


def _fault_of(connection: Any, stream: oplog.Stream) -> str:
    if not stream.certificates:
        return "its certificate is missing"
    public = stream.certificates[0][1].public
    runs = connection.execute(
        "SELECT last, head, signature FROM run WHERE stream = ? ORDER BY last", (stream.no,)
    ).fetchall()
    head, seq = signing.chain_seed(stream.id), 0
    for run in runs:
        bodies = connection.execute(
            "SELECT body FROM op WHERE stream = ? AND seq > ? AND seq <= ? ORDER BY seq",
            (stream.no, seq, run["last"]),
        ).fetchall()
        if len(bodies) != run["last"] - seq:
            return f"operations after {seq} are missing"
        head, seq = signing.chain(head, [bytes(body[0]) for body in bodies]), run["last"]
        if head != bytes(run["head"]):
            return f"the chain breaks at {seq}"
        try:
            signing.verify(public, bytes(run["signature"]), signing.log_message(stream.id, seq, head))
        except BadSignature:
            return f"the signature at {seq} does not fit"
    return "" if (seq, head) == (stream.last, stream.head) else f"what follows {seq} is not signed"


def _gone_back(node: Any) -> Finding:
    missing = node.missing_of_own()
    if missing:
        hint = "Let it meet the hub: what other nodes hold comes again. What only this node had is lost."
        text = f"{missing} operations that this node once wrote are not here: its store was put back or damaged"
        return Finding("history", "warning", text, hint)
    return Finding("history", "ok", "all that this node ever wrote is here")


def _sealed(node: Any) -> Finding:
    if node.sealing.closed:
        hint = "It opens when another node was heard for a while; where none is left: `tomoshibi grants --open`."
        return Finding("sealed", "warning", "this store was put back: nothing sealed is opened yet", hint)
    known = node.sealing.status()
    behind = sorted({name for order in known["orders"] for name in _without_receipt(node, order["receipts"])})
    if behind:
        hint = "They do so when they are heard; what is lost for ever is to be revoked."
        return Finding("sealed", "warning", f"shred orders not carried out yet by: {', '.join(behind)}", hint)
    return Finding("sealed", "ok", f"{'opens' if known['holds'] else 'does not open'} what is sealed to HQ")


def _without_receipt(node: Any, receipts: Iterable[str]) -> list[str]:
    """The nodes that have not said so and are not revoked, on an issuer: nobody else can do anything about it."""
    if node.certificate is None or "enrol" not in node.certificate.capabilities:
        return []
    listed = {record.id.replace("-", ""): record["label"] for record in nodes.listed(node.reader())}
    done = set(receipts)
    return [
        label or name[:8]
        for name, label in listed.items()
        if name not in done and not node.replica.is_revoked(bytes.fromhex(name))
    ]


def _digest(node: Any) -> Finding:
    kept, computed = node.status()["digest"], node.digest()["public"]
    if kept != computed:
        hint = "Stop the node, run `tomoshibi rebuild`, and report this."
        return Finding("digest", "wrong", f"kept {kept}, computed {computed}", hint)
    return Finding("digest", "ok", f"{computed}, as kept")


def _layers(node: Any) -> Finding:
    missing = node.layers.missing()
    faults = [f"{one.title or one.id}: {one.fault}" for one in missing if one.fault]
    faults += [f"{layer.title}: its parts cannot be read" for layer in node.layers.unreadable()]
    if faults:
        hint = "Import the layer again on the hub, or bring this node to the hub's release."
        return Finding("layers", "warning", f"{len(faults)} layers cannot be used, the first: {faults[0]}", hint)
    waiting = [f"{one.title} {one.share:.0%}" for one in missing]
    in_use = len(node.layers.in_use())
    if waiting:
        return Finding("layers", "ok", f"{in_use} in use; still on their way: {', '.join(waiting)}")
    return Finding("layers", "ok", f"{in_use} in use")


def _clock(node: Any) -> Finding:
    offset = node.clock_offset_ms
    text = f"{offset / 1000:+.1f} s from the hub's clock"
    if abs(offset) < CLOCK_WARNING_MS:
        return Finding("clock", "ok", text)
    return Finding("clock", "warning", text, "Set this machine's clock; the times shown are corrected until then.")


def _certificate(node: Any) -> Finding:
    """Of TLS: missing, ended, or nearly so though it should have been renewed long ago."""
    own = node.tls.held.own
    if own is None:
        calls_out = (node.hub_url or "").startswith("https:") or node.settings.serves_tls or node.is_hub
        if not calls_out:
            return Finding("certificate", "ok", "none: this node is called and calls in clear, on its own machine")
        hint = f"{'Here' if node.is_hub else 'On the hub'}: `tomoshibi pki init` with the city's recovery file."
        return Finding("certificate", "warning", "none: this node cannot speak TLS with the city's others", hint)
    days = (own.ends_ms - node.tls.now()) // DAY_MS
    hint = "Run `tomoshibi pki renew`; on a terminal, where its hub answers."
    if days < 0:
        return Finding("certificate", "wrong", f"it ended {-days} days ago", hint)
    if days < CERTIFICATE_WARNING_DAYS:
        return Finding("certificate", "warning", f"it ends in {days} days", hint)
    return Finding("certificate", "ok", f"holds for {days} days")


def _peers(node: Any) -> Iterator[Finding]:
    if not node.enrolled:
        hint = "On the hub `tomoshibi enrol-code`, then here `tomoshibi enrol --hub URL --code CODE`."
        yield Finding("peers", "wrong", "this terminal is not enrolled, and writes nothing", hint)
    for peer in node.peers():
        name = f"{peer['name']} ({peer['role']})"
        if peer["state"] == "connected":
            yield Finding("peers", "ok", f"{name} is connected")
        elif peer["locked_since_at"]:
            hint = "Tell whoever has it to type the PIN: until then it hears no order."
            yield Finding("peers", "warning", f"{name} was started again and is locked", hint)
        else:
            yield Finding(
                "peers", "warning", f"{name} is not connected", "Check the network; records wait here safely."
            )
