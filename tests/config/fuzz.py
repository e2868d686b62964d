"""Reads configurations that nobody has written, as many as wanted.

    python -m tests.config.fuzz [NUMBER] [SEED]

Files of the repository are cut, doubled, mixed and damaged, and values are replaced by values of
other kinds. Each ends as a configuration or as a refusal with places, in reasonable time; the
first that does not is printed, and the same seed brings it back.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path
from typing import Any, Final

import yaml

from tests.config.test_fuzz import KEYS, WORDS, settle

NUMBER: Final = 100_000
PATIENCE: Final = 5.0
"""Seconds of CPU for one small file; it takes a millisecond."""

_HERE = Path(__file__).parent
_SCRAPS = (b"{", b"}", b"[", b"]", b'"', b"'", b",", b":", b"- ", b"\n", b"\t", b"#", b"//", b"/*",
           b"&a ", b"*a", b"<<: ", b"!!", b"\\u", b"\xff", b"\x00", b"${A}", b"${", b"null", b"1e9",
           b"\xef\xbb\xbf", b"\r", b"---\n", b"|\n", b">\n", b"99999999999999999999")  # fmt: skip


def seeds() -> list[tuple[bytes, str]]:
    """Return the files to begin with, and what they are called after the dot."""
    paths = [*_HERE.glob("good/*"), *_HERE.glob("bad/*")]
    paths += [*_HERE.parent.parent.glob("examples/checkers/*")]
    kinds = {".json", ".yaml"}
    return [
        (path.read_bytes().replace(b"s3cret", b"hidden"), path.suffix)  # what settle looks for
        for path in sorted(paths)
        if path.suffix in kinds
    ]


def damaged(chance: random.Random, body: bytes, other: bytes) -> bytes:
    """Return the bytes after a few accidents."""
    for _ in range(chance.randint(1, 6)):
        at, end = sorted(chance.randint(0, len(body)) for _ in range(2))
        accident = chance.randrange(5)
        if accident == 0:
            body = body[:at] + chance.choice(_SCRAPS) + body[at:]
        elif accident == 1:
            body = body[:at] + body[min(end, at + chance.randint(1, 40)) :]
        elif accident == 2:
            body = body[:at] + body[at : at + 200] + body[at:]
        elif accident == 3:
            start = chance.randint(0, len(other))
            body = body[:at] + other[start : start + chance.randint(1, 200)] + body[at:]
        elif body:
            spot = min(at, len(body) - 1)
            body = body[:spot] + bytes([chance.randrange(256)]) + body[spot + 1 :]
    return body[:20_000]


def changed(chance: random.Random, tree: Any) -> Any:
    """Return a document with some of its keys and values replaced by others."""
    if chance.random() < 0.06:
        return chance.choice([*WORDS, None, True, False, 0, -1, 2**63, 5.5, [], {}, [[]], {"a": 1}])
    if isinstance(tree, dict):
        return {
            chance.choice(KEYS) if chance.random() < 0.05 else key: changed(chance, value)
            for key, value in tree.items()
        }
    return [changed(chance, item) for item in tree] if isinstance(tree, list) else tree


def documents() -> list[Any]:
    """Return the files that can be parsed, parsed."""
    found = []
    for body, suffix in seeds():
        try:
            found.append(json.loads(body) if suffix == ".json" else yaml.safe_load(body))
        except (ValueError, yaml.YAMLError):
            continue
    return found


def fuzz(number: int, seed: int) -> None:
    """Read that many configurations.

    Raises:
        AssertionError: one of them was not settled; it is printed before.
    """
    chance = random.Random(seed)
    bodies, trees = seeds(), documents()
    for _ in range(number):
        body, suffix = chance.choice(bodies)
        if chance.random() < 0.4:
            tree = changed(chance, chance.choice(trees))
            body = json.dumps(tree, default=str, skipkeys=True).encode()
        else:
            body = damaged(chance, body, chance.choice(bodies)[0])
        began = time.process_time()
        try:
            settle(body, suffix)
            assert time.process_time() - began < PATIENCE, "it took too long"
        except BaseException:
            print(f"{suffix}: {body!r}")
            raise


def main() -> int:
    """Do what the command line says."""
    given = [int(word) for word in sys.argv[1:3]]
    number, seed = (*given, *(NUMBER, random.randrange(2**32))[len(given) :])
    print(f"{number} configurations, seed {seed}")
    fuzz(number, seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
