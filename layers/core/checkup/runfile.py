"""Check files: the stored form of a run, which the Go program and its page can read.

A check file is one line of JSON: an array of results in the order of the configuration, with
integer nanoseconds. The keys of the Go program come first, in its order and under its rules
(an empty value is left out, only ``rtt`` is always there); keys of ours follow, and its reader
ignores them. Text is escaped as Go's ``encoding/json`` does it, so that a result without keys
of ours has the very bytes that Go would write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from checkup.model import Attempt, Phases, Result, Run

RUNS_PREFIX: Final = "runs/"
LATE_PREFIX: Final = "late/"
MANUAL_PREFIX: Final = "by-hand/"
"""Looks by hand that somebody wanted to keep; they count for nothing."""

_NAME = re.compile(r"(\d{19})-check\.json", re.ASCII)

# Go writes U+2028, U+2029 and the characters of HTML as escapes, backspace and form feed in
# the long form (before Go 1.22, with which the program was built), and whatever is no Unicode
# as a replacement character. A pair of backslashes is matched so as to be passed over.
_ESCAPE = re.compile("\\\\[\\\\bf]|[<>&\u2028\u2029\ud800-\udfff]")
_ESCAPES = {"\\\\": r"\\", r"\b": r"\u0008", r"\f": r"\u000c"}


def run_key(run: Run) -> str:
    """Return the key under which a run is stored."""
    return RUNS_PREFIX + run.name


def key_time(key: str) -> int | None:
    """Return the nanoseconds in a check file's name, or None if ``key`` does not name one."""
    name = _NAME.fullmatch(key.rpartition("/")[2])
    return int(name[1]) if name else None


def encode_results(results: Sequence[Result]) -> bytes:
    """Return the content of a check file, without a final newline."""
    content = [_result(result) for result in results]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return _ESCAPE.sub(_escaped, text).encode()


def decode_results(body: bytes) -> tuple[Result, ...]:
    """Read a check file of this program, of any version of the Go program or of a fork of it.

    What is missing or null has its default, and unknown keys are passed over. Broken Unicode
    becomes a replacement character, as in Go.

    Raises:
        ValueError: the text is not a check file; the sentence says why and where.
    """
    try:
        return msgspec.json.decode(body, type=tuple[Result, ...])
    except (ValueError, RecursionError):
        return _decode_leniently(body)


def _result(result: Result) -> dict[str, Any]:
    fields = {
        "title": result.title,
        "endpoint": result.endpoint,
        "timestamp": result.timestamp,
        "times": [_attempt(attempt) for attempt in result.times],
        "threshold": result.threshold,
        "healthy": result.healthy,
        "degraded": result.degraded,
        "down": result.down,
        "notice": result.notice,
        "message": result.message,
        "id": result.id,
        "kind": result.kind,
        "region": result.region,
        "rechecks": result.rechecks,
        "definition": result.definition,
        "config": result.config,
        "version": result.version,
    }
    return {key: value for key, value in fields.items() if value}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    fields: dict[str, Any] = {"rtt": attempt.rtt}
    if attempt.error:
        fields["error"] = attempt.error
    if attempt.failure:
        fields["failure"] = attempt.failure
    if attempt.phases:
        fields["phases"] = _phases(attempt.phases)
    if attempt.certificate_expiry:
        fields["certificate_expiry"] = attempt.certificate_expiry
    return fields


def _phases(phases: Phases) -> dict[str, int]:
    return {name: length for name, length in msgspec.structs.asdict(phases).items() if length}


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if "\ud800" <= found <= "\udfff":
        return r"\ufffd"
    return _ESCAPES.get(found) or f"\\u{ord(found):04x}"


def _decode_leniently(body: bytes) -> tuple[Result, ...]:
    """Read what msgspec refuses and Go accepts, or say what is wrong with it."""
    try:
        tree = json.loads(body.decode(errors="replace"), parse_constant=_refuse)
        return msgspec.convert(_as_go_reads([] if tree is None else tree), tuple[Result, ...])
    except RecursionError:
        raise ValueError("not a check file: nested too deeply") from None
    except msgspec.ValidationError as error:
        what, _, place = str(error).replace("`", "").partition(" - at $")
        where = f" at {place}" if place else ""
        raise ValueError(f"not a check file: {what[:1].lower()}{what[1:]}{where}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"not a check file: no valid JSON at {where}") from None
    except ValueError:
        raise ValueError("not a check file: it holds a number that cannot be read") from None


def _as_go_reads(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Leave out keys that are null, and take a null element for an empty one."""
    if isinstance(value, dict):
        return {_text(k): _as_go_reads(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [{} if item is None else _as_go_reads(item) for item in value]
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Replace halves of surrogate pairs."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _refuse(constant: str) -> None:
    raise ValueError(constant)
