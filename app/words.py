"""Words that people search for, in the address of a page: sealed, for a browser keeps every address it has been at.

Before: a search form posts them. After: the address carries ``words=~…``, which only this node can read; typed by
hand into an address they work, too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import Any

MARK = "~"
CHARS_MAX = 100
_NONCE_BYTES, _TAG = 12, b"tomoshibi:searched-words:1\0"


def seal(data_key: bytes, words: str) -> str:
    """The words as they may stand in an address."""
    nonce = os.urandom(_NONCE_BYTES)
    box = nonce + _cipher(data_key).encrypt(nonce, words[:CHARS_MAX].encode("utf-8", "replace"), _TAG)
    return MARK + base64.urlsafe_b64encode(box).rstrip(b"=").decode()


def unseal(data_key: bytes, asked: str) -> str:
    """The words of an address; none where another node has sealed them."""
    if not asked.startswith(MARK):
        return asked.strip()[:CHARS_MAX]
    from cryptography.exceptions import InvalidTag

    sealed = asked.removeprefix(MARK)
    try:
        box = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        return _cipher(data_key).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], _TAG).decode()
    except (binascii.Error, ValueError, InvalidTag):
        return ""


def _cipher(data_key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hashlib.blake2b(_TAG, key=data_key, digest_size=32).digest())
