"""Contexts of TLS 1.3 with the city's authority and no other. No private key is ever in clear in a file."""

from __future__ import annotations

import contextlib
import os
import secrets
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from app.pki import files
from app.pki.authority import Key
from app.tls.held import Held

# X509_V_FLAG_NO_CHECK_TIME: ``pki/peer`` judges ends, by the city's time and with words.
NO_CHECK_TIME = 0x200000


def serving(held: Held) -> ssl.SSLContext:
    """For whoever calls this node: its own leaf; the caller's is asked for, and checked where it is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    context.num_tickets = 0  # each connection proves anew who stands at its ends
    ask(context, held)
    show(context, held)
    return context


def calling(held: Held, *, bare: bool = False) -> ssl.SSLContext:
    """For calling the hub: the city's authority is all that is believed, whatever the system trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    context.load_verify_locations(cadata=files.pem(held.authority).decode())
    if held.chain is not None and not bare:
        show(context, held)
    return context


def ask(context: ssl.SSLContext, held: Held) -> None:
    """Ask callers for a certificate of the city. Who shows none may knock at the doors for strangers only."""
    context.load_verify_locations(cadata=files.pem(held.authority).decode())
    context.verify_mode = ssl.CERT_OPTIONAL


def show(context: ssl.SSLContext, held: Held) -> None:
    """Show the node's leaf from now on; connections that stand keep theirs."""
    assert held.chain is not None
    chain = files.pem(*held.chain)
    if hasattr(os, "memfd_create"):
        with _in_memory(_pem(held.private, NoEncryption()) + chain) as path:
            context.load_cert_chain(path)
        return
    password = secrets.token_hex(32)
    with _in_a_file(_pem(held.private, BestAvailableEncryption(password.encode())) + chain) as path:
        context.load_cert_chain(path, password=password)


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= NO_CHECK_TIME


def _pem(key: Key, sealing: KeySerializationEncryption) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing)


@contextlib.contextmanager
def _in_memory(data: bytes) -> Iterator[str]:
    """The library reads keys from files only: this one lies in memory, and only this process sees it."""
    handle = os.memfd_create("tls", os.MFD_CLOEXEC)
    try:
        os.write(handle, data)
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


@contextlib.contextmanager
def _in_a_file(data: bytes) -> Iterator[str]:
    """Where no file can lie in memory: one that is sealed, readable to its owner, and gone again at once."""
    handle, name = tempfile.mkstemp()
    try:
        with open(handle, "wb") as file:
            file.write(data)
        yield name
    finally:
        Path(name).unlink()
