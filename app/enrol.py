"""A terminal asks a hub to let it in: hello, request, and the certificate that makes it a node of the city.

Before: ``enrol --hub URL --code CODE``. After: ``node.adopt_certificate`` keeps what was given. The other
side is ``enrol_door``; the bytes are in ``sync/enrolment``. The secret of the code never travels.
"""

from __future__ import annotations

import json
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from app import enrol_extras
from app.enrol_door import VERSION, check_version, hex_of
from app.errors import AppError, CommandFailed, Conflict
from sync import signing
from sync.certificate import Certificate
from sync.enrolment import NONCE_BYTES, Code, Extra, Transcript, check_issuer
from sync.errors import SyncError

ANSWER_BYTES_MAX, HTTP_SECONDS = 32_768, 15
CHECK_ADDRESS = "Check the hub's address, and that it runs."


def enrol(
    node: Any, hub_url: str, code_text: str, rows: Sequence[enrol_extras.Row] = enrol_extras.ROWS
) -> dict[str, Any]:
    """Ask the hub for a certificate and keep it: from then on this terminal may write."""
    if node.enrolled:
        raise Conflict("already_enrolled", f"{node.name} is enrolled already", "Nothing needs to be done.")
    try:
        code = Code.parse(code_text)
        hello = _fetch(f"{hub_url}/enrol/v1/hello", None)
        check_version(hello, "the hub")
        root_public, issuer = hex_of(hello, "root_public", 32), hex_of(hello, "issuer", None)
        check_issuer(code, root_public, issuer)
        certificate, extra = _ask(
            node,
            hub_url,
            code,
            Transcript(
                root_public,
                issuer,
                hex_of(hello, "issuer_nonce", NONCE_BYTES),
                secrets.token_bytes(NONCE_BYTES),
                signing.SigningKey(node.keys.signing_seed).public,
                signing.sealing_public(node.keys.sealing_seed),
                node.name,
                enrol_extras.asked(rows, node),
            ),
        )
    except SyncError as error:
        raise CommandFailed(error.code, str(error), error.hint) from error
    enrol_extras.adopt(rows, node, root_public, extra)
    node.adopt_certificate(certificate.encode(), root_public, hub_url)
    return {"node_id": node.node_id, "name": certificate.name, "label": certificate.label, "hub_url": hub_url}


def _ask(node: Any, hub_url: str, code: Code, transcript: Transcript) -> tuple[Certificate, Extra]:
    key = signing.SigningKey(node.keys.signing_seed)
    answer = _fetch(
        f"{hub_url}/enrol/v1/request",
        {
            "version": VERSION,
            "issuer_nonce": transcript.issuer_nonce.hex(),
            "device_nonce": transcript.device_nonce.hex(),
            "public": transcript.public.hex(),
            "sealing": transcript.sealing.hex(),
            "name": transcript.name,
            "extra": enrol_extras.to_wire(transcript.extra),
            "signature": key.sign(transcript.device_message()).hex(),
            "proof": transcript.request_proof(code.secret).hex(),
        },
    )
    extra = enrol_extras.from_wire(answer)
    certificate, proof = hex_of(answer, "certificate", None), hex_of(answer, "proof", 32)
    return transcript.check_answer(code.secret, certificate, extra, proof), extra


def _fetch(url: str, document: Mapping[str, Any] | None) -> Any:
    # No certificate authority is asked: the code names the city's root, and the proofs cover everything said.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", "Accept": "application/json"})
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=HTTP_SECONDS) as response:
            return json.loads(response.read(ANSWER_BYTES_MAX))
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
