"""TLS of a node: what it holds, how it serves and calls with it, whom it lets in, how it renews.

Before: ``app/pki`` makes certificates. After: ``server`` and ``sync_links`` stand on connections that it has checked.
"""
