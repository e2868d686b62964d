"""Gives the functions events that nobody sends, as many as wanted.

    python -m tests.stack.events [NUMBER] [SEED]

Real events are damaged, mixed and nested, and others are made up. Whatever is not one of the known
forms must end in the one named error, before anything is asked of AWS or of a checker: the
functions run as they are deployed, beside a service that counts who connects to it. The first
event that does anything else is printed, and the same seed brings it back.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from checkup.aws.events import parse_check_event, parse_publish_event
from checkup.errors import EventError

NUMBER: Final = 10_000
ROOT: Final = Path(__file__).parents[2]
NOW: Final = 1_800_000_000 * 10**9

_REAL: Final = [json.loads(file.read_text()) for file in sorted((ROOT / "events").glob("*.json"))]
_KEYS: Final = ("slot", "checkers", "record", "notify_test", "task", "Records", "s3", "detail")
_WORDS: Final = (
    *("", "Website", "2026-01-31T12:00:00Z", "publish", "rebuild", "aws:s3", "\ud800", "\x00"),
    *("<aws.scheduler.scheduled-time>", "9999-12-31T23:59:60Z", "-1", "../../state/head.json"),
    *("http://169.254.169.254/", "$(reboot)", "x" * 5_000, "2026-01-31T12:00:00+99:99", "é" * 300),
)
_SINGLES: Final = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**63,
    10**400,
    1.5,
    -0.0,
    float("nan"),
    float("inf"),
)


def any_event(chance: random.Random) -> Any:
    """Return an event; some of them are in order."""
    kind = chance.randrange(6)
    if kind == 0:
        return _value(chance, 4)
    if kind == 1:
        return {chance.choice(_KEYS): _value(chance, 3) for _ in range(chance.randint(1, 3))}
    if kind == 2:  # nested deeper than most recursions go
        return json.loads("[" * 500 + "]" * 500) if chance.random() < 0.1 else [_value(chance, 2)]
    return _damaged(chance, chance.choice(_REAL))


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(5 if depth else 2)
    if kind == 0:
        return chance.choice(_SINGLES)
    if kind == 1:
        return chance.choice(_WORDS)
    if kind == 2:
        return [_value(chance, depth - 1) for _ in range(chance.randint(0, 4))]
    names = (*_KEYS, *_WORDS[:8])
    return {chance.choice(names): _value(chance, depth - 1) for _ in range(chance.randint(0, 4))}


def _damaged(chance: random.Random, event: Any) -> Any:
    """Return a copy of an event in which something somewhere is something else."""
    if chance.random() < 0.3 or not isinstance(event, dict | list) or not event:
        return _value(chance, 2)
    if isinstance(event, list):
        return [_damaged(chance, event[0]), *event[1:]]
    changed = dict(event)
    name = chance.choice(list(changed))
    if chance.random() < 0.3:
        changed[chance.choice(_KEYS)] = _value(chance, 2)
    elif chance.random() < 0.2:
        del changed[name]
    else:
        changed[name] = _damaged(chance, changed[name])
    return changed


def is_known(read: Callable[[Any], object], event: Any) -> bool:
    """Say whether a function takes the event for one of its own; raise if it is not sure."""
    try:
        read(event)
    except EventError:
        return False
    return True


class Context:
    """What a function is told of its invocation."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "fuzz"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Counter:
    """A service that hangs up, and counts."""

    def __init__(self) -> None:
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                connection.close()


@contextmanager
def functions(service: Counter) -> Iterator[list[tuple[Callable[[Any], object], Any]]]:
    """Yield what reads the events of each function, and its handler, as they are deployed."""
    checker = {"type": "http", "endpoint_name": "Website", "endpoint_url": service.url}
    os.environ |= {
        "STATE_BUCKET": "state",
        "PAGE_BUCKET": "page",
        "AWS_ENDPOINT_URL": service.url,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_LAMBDA_FUNCTION_NAME": "fuzz",
    }
    sys.path.insert(0, str(ROOT / "functions"))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "checkup.json").write_text(json.dumps({"checkers": [checker]}))
        os.chdir(folder)
        check, publish = (import_module(name).handler for name in ("check", "publish"))
        yield [
            (lambda event: parse_check_event(event, now=NOW), check),
            (parse_publish_event, publish),
        ]
        os.chdir(ROOT)


def main(number: int, seed: int) -> None:
    """Try so many events on each function."""
    chance, refused, service = random.Random(seed), 0, Counter()
    with functions(service) as both:
        for _ in range(number):
            event = any_event(chance)
            for read, handler in both:
                if is_known(read, event):
                    continue
                try:
                    handler(event, Context())
                except EventError:
                    refused += 1
                else:
                    sys.exit(f"not refused: {event!r}")
                if service.connections:
                    sys.exit(f"somebody was asked: {event!r}")
    service.close()
    print(f"{number} events, {refused} refusals, nobody was asked for anything")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(int(words[0]) if words else NUMBER, int(words[1]) if words[1:] else 1)
