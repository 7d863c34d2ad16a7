"""What can go wrong in the log and on a link. Each error has a code, says whose fault it is, and what to do."""

from __future__ import annotations

from typing import Literal

Fault = Literal["caller", "peer", "machine", "bug"]


class SyncError(Exception):
    """Base of the tree. ``code`` is stable; ``hint`` is for whoever can act on it."""

    code = "sync"
    fault: Fault = "bug"
    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class BadOperation(SyncError):
    """Bytes that are not an operation: refused at arrival, nothing is kept."""

    code = "bad_operation"
    fault: Fault = "peer"
    hint = "Another holder of this stream is asked for it."


class BadChange(SyncError):
    """Our own caller asked for something that can never be an operation."""

    code = "bad_change"
    fault: Fault = "caller"
    hint = "Shorten the text or send fewer values at once."


class BadCertificate(SyncError):
    """A certificate that the city's root does not vouch for."""

    code = "bad_certificate"
    fault: Fault = "peer"
    hint = "Enrol the device again with a code made by HQ."


class Revoked(SyncError):
    """The peer's device was revoked: it gets nothing more."""

    code = "revoked"
    fault: Fault = "peer"
    hint = "HQ has revoked this device. Bring it to HQ: what it has not sent can still be recovered."


class BadSignature(SyncError):
    code = "bad_signature"
    fault: Fault = "peer"
    hint = "Another holder of this stream is asked for it."


class Relayed(BadSignature):
    """A hello that does not belong to the connection on which it came: somebody may stand between the two nodes."""

    code = "relayed"
    hint = "Check that both nodes run this release. If they do, somebody stands between them."


class LineRefused(SyncError):
    """A connection that stands, to somebody who is not who was called. The code says why; nothing was said on it."""

    fault: Fault = "peer"
    hint = "Check the hub's address and the network that this node is on."

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class BadFrame(SyncError):
    """A frame that is not the protocol's: the link is closed."""

    code = "bad_frame"
    fault: Fault = "peer"
    hint = "Check that both nodes run a supported release."


class NotEnrolled(SyncError):
    code = "not_enrolled"
    fault: Fault = "caller"
    hint = "Run `tomoshibi enrol --hub URL --code CODE` on this node first."


class NoScopeKey(SyncError):
    """What must be sealed cannot be: the public key of its scope is not here, so nothing of it was written."""

    code = "no_scope_key"
    fault: Fault = "caller"
    hint = "The key comes with the first contact with HQ; leave these fields empty until then."


class StoreFull(SyncError):
    """The disk is full: nothing of this write was kept, everything before it was."""

    code = "store_full"
    fault: Fault = "machine"
    hint = "Free some disk space on this node, then send again; nothing was lost."


class StoreFailed(SyncError):
    """The disk refused a write for another reason."""

    code = "store_failed"
    fault: Fault = "machine"
    hint = "Run `tomoshibi doctor` on this node; what was acknowledged before is safe."


class WriterStopped(SyncError):
    code = "writer_stopped"
    fault: Fault = "caller"
    hint = "The node is shutting down; try again after it has started."


class BadEnrolment(SyncError):
    """A device that is not let in, or a hub that is not the city's. The code says which."""

    fault: Fault = "caller"
    hint = "Make a new code on the hub with `tomoshibi enrol-code`."

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class BlobMissing(SyncError):
    """A file that is not whole on this node: its description travels before it."""

    code = "blob_missing"
    fault: Fault = "caller"
    hint = "Ask for it with `want`, and read it when it is whole here."


class WriterBusy(SyncError):
    code = "busy"
    fault: Fault = "machine"
    hint = "Try again in a few seconds; nothing of this was saved."


# The engine's words for a statement that was wrong in itself: the fault of the job that ran it, of no other.
_JOB_ERRORS = {"IntegrityError", "ProgrammingError", "DataError", "NotSupportedError"}


def is_disk_error(error: Exception) -> bool:
    """Whether an error is the disk's or the engine's, not a job's. sqlcipher3's are no subclass of sqlite3's."""
    names = {base.__name__ for base in type(error).__mro__}
    if isinstance(error, SyncError) or names & _JOB_ERRORS:
        return False
    return "DatabaseError" in names
