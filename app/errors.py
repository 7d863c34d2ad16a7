"""What can go wrong in the app, said once for pages, API and command line. Knows no Flask.

Before: records, queries, permissions and accounts raise these. After: ``views/error_pages.py`` makes a
response of them, ``__main__`` one line on stderr. ``code`` is stable; ``hint`` is for whoever can act on it.
"""

from __future__ import annotations


class AppError(Exception):
    """Base of the tree. ``field`` names the field of a form that is wrong."""

    status = 500
    code = "app_error"

    def __init__(self, code: str | None = None, message: str = "", hint: str = "", field: str | None = None) -> None:
        super().__init__(message or code or self.code)
        if code is not None:
            self.code = code
        self.message = message
        self.hint = hint
        self.field = field


class BadRequest(AppError):
    """The request cannot be read at all (broken JSON, a header in a wrong form)."""

    status = 400
    code = "bad_request"


class Invalid(AppError):
    """The request was read, and a value in it is wrong."""

    status = 422
    code = "invalid"


class Unauthenticated(AppError):
    status = 401
    code = "unauthenticated"


class Forbidden(AppError):
    status = 403
    code = "forbidden"


class NotFound(AppError):
    status = 404
    code = "not_found"


class MethodRefused(AppError):
    """The thing exists and can never be changed in this way (an entry of a ledger)."""

    status = 405
    code = "method_not_allowed"


class Conflict(AppError):
    status = 409
    code = "conflict"


class PreconditionFailed(AppError):
    status = 412
    code = "precondition_failed"


class TooLarge(AppError):
    status = 413
    code = "too_large"


class UnsupportedMedia(AppError):
    status = 415
    code = "unsupported_media_type"


class PreconditionRequired(AppError):
    status = 428
    code = "precondition_required"


class RateLimited(AppError):
    status = 429
    code = "rate_limited"


class StoreUnavailable(AppError):
    """The store of this node cannot be opened or written now; what was saved before is safe."""

    status = 503
    code = "store_unavailable"


class StoreFull(StoreUnavailable):
    status = 409
    code = "store_full"


class CommandFailed(AppError):
    """A job of the command line was refused: one line on stderr, exit status 1."""

    status = 500
    code = "command_failed"
