"""HTTP as a client, for messages and for storages.

The standard library's client is used as it is: it follows no redirect, asks no proxy and reads no
netrc.
"""

from __future__ import annotations

from checkup.http.exchange import describe_error
from checkup.http.lines import ConnectionPool, post, request
from checkup.http.trust import client_tls_context

__all__ = ["ConnectionPool", "client_tls_context", "describe_error", "post", "request"]
