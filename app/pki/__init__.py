"""The city's second authority: X.509 certificates for TLS, made from the city's root and from nothing else. Pure.

Before: ``birth`` and `pki init` hand in the root's seed, ``app/tls`` a node's requests. After: ``app/tls`` serves and
calls with what was made here. Times and keys are handed in; sockets and stores are ``app/tls``'s.
"""
