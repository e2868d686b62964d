"""An emulator of S3 that takes some time for each answer, as S3 itself does."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

from s3_hour import Emulator
from werkzeug.serving import WSGIRequestHandler, make_server

SEEN = "/-/seen"
"""Where it says what it was asked for: a JSON list of verbs, each with its bucket and key."""


class SlowEmulator(Emulator):
    """The emulator, with its seconds for an answer."""

    def __init__(self, latency: float) -> None:
        super().__init__()
        self._latency = latency

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        if environ["PATH_INFO"] == SEEN:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps([(verb, what) for _, verb, what in self.seen]).encode()]
        time.sleep(self._latency)
        return super().__call__(environ, start_response)


def main(latency: float) -> None:
    """Serve until killed."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    WSGIRequestHandler.protocol_version = "HTTP/1.1"  # connections are kept, as by S3
    server = make_server("127.0.0.1", 0, SlowEmulator(latency), threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(float(sys.argv[1]))
