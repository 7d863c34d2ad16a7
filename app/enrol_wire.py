"""The HTTP of a terminal that asks to be let in: one document out, one in, or the hub's refusal. No state.

Before: ``enrol`` has the document. After: it checks the answer's proof: what comes in here is a stranger's.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from app.errors import AppError, CommandFailed

ANSWER_BYTES_MAX, HTTP_SECONDS = 32_768, 15
CHECK_ADDRESS = "Check the hub's address, and that it runs."


def fetch(url: str, document: Mapping[str, Any] | None) -> dict[str, Any]:
    # No certificate authority is asked: the code names the city's root, and the proofs cover everything said.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", "Accept": "application/json"})
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=HTTP_SECONDS) as response:
            answer = json.loads(response.read(ANSWER_BYTES_MAX))
        if not isinstance(answer, dict):
            raise ValueError("no document")
        return answer
    except urllib.error.HTTPError as error:
        raise _refusal(error) from error
    except ValueError as error:
        raise CommandFailed("hub_unclear", f"{url} does not answer as a hub", CHECK_ADDRESS) from error
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", error)
        raise CommandFailed("hub_unreachable", f"the hub at {url} does not answer: {reason}", CHECK_ADDRESS) from error


def _refusal(error: urllib.error.HTTPError) -> AppError:
    try:
        problem = json.loads(error.read(ANSWER_BYTES_MAX))
        return CommandFailed(str(problem["code"]), f"the hub refused: {problem['detail']}", str(problem["hint"]))
    except (ValueError, KeyError, TypeError, OSError):
        return CommandFailed("hub_unclear", f"the hub answered with status {error.code}", CHECK_ADDRESS)
