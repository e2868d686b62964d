"""HTTP as a client, for messages and for storages.

The standard library's client is used as it is: it follows no redirect, asks no proxy and reads no
netrc.
"""

from __future__ import annotations

from checkup.http.exchange import reason
from checkup.http.lines import Lines, post, request
from checkup.http.trust import trust

__all__ = ["Lines", "post", "reason", "request", "trust"]
