"""The hello of a link: what each side says of itself, what it signs, and whether the other is let in. Pure.

Before: the transport has opened. After: ``session`` compares what both hold.
"""

from __future__ import annotations

from sync import protocol, signing
from sync.certificate import Certificate
from sync.errors import BadCertificate, BadFrame, BadSignature, Relayed, Revoked
from sync.local import Local
from sync.protocol import Hello, Proof


def hello(local: Local, now_ms: int) -> bytes:
    return protocol.encode(Hello(protocol.VERSION, local.certificate.encode(), local.nonce, now_ms, local.schema))


def let_in(local: Local, theirs: Hello) -> Certificate:
    """The peer's certificate, where it may have a link.

    Raises BadFrame, BadCertificate, Revoked, BadSignature or Relayed.
    """
    if theirs.protocol != protocol.VERSION:
        raise BadFrame(f"protocol {theirs.protocol} is not spoken here")
    peer = Certificate.decode(theirs.certificate)
    peer.verify(local.root_public)
    if local.is_revoked(peer.node_id):
        raise Revoked("this device was revoked")
    if peer.node_id == local.certificate.node_id:
        raise BadCertificate("a node does not talk to itself")
    if theirs.nonce == local.nonce:
        raise BadSignature("the nonce was sent back")
    if local.channel_peer is not None and peer.node_id != local.channel_peer:
        raise Relayed("the hello is of another node than the connection")
    return peer


def transcript(local: Local, peer: Certificate, theirs: Hello, *, caller: bool, by_caller: bool) -> bytes:
    """What a proof signs: both names and both nonces, those of the caller first, and who signs it."""
    us, them = local.certificate.node_id, peer.node_id
    order = (us, them, local.nonce, theirs.nonce) if caller else (them, us, theirs.nonce, local.nonce)
    return signing.HELLO_TAG + (b"c" if by_caller else b"s") + b"".join(order) + local.channel


def proof(local: Local, peer: Certificate, theirs: Hello, now_ms: int, *, caller: bool) -> bytes:
    signature = local.key.sign(transcript(local, peer, theirs, caller=caller, by_caller=caller))
    return protocol.encode(Proof(signature, now_ms, local.retry_ms_max()))


def check_proof(local: Local, peer: Certificate, theirs: Hello, frame: Proof, *, caller: bool) -> None:
    """Raise BadSignature unless the peer holds the key of its certificate, Relayed unless it sees the same channel."""
    signed = transcript(local, peer, theirs, caller=caller, by_caller=not caller)
    try:
        signing.verify(peer.public, frame.signature, signed)
    except BadSignature as error:
        if not local.channel:
            raise
        raise Relayed("the proof does not fit this connection") from error
