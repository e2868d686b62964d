"""The head as bytes: written canonically, read with care.

It is the one document on which everything depends, so whatever its bytes are, reading it ends
in a head or in one clear error. What a later version has added to it is carried along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from checkup.alerting.state import SCHEMA, AlertState, CheckerState
from checkup.runfile import key_time

STATE_KEY: Final = "state/head.json"
"""The key of the head."""

_LARGEST = 64 * 1024 * 1024

Document = TypeVar("Document", AlertState, CheckerState)


class UnreadableStateError(ValueError):
    """The bytes are no head; the sentence says why."""


class NewerStateError(ValueError):
    """A later version of the program has written the head; it is not ours to change."""


def encode_state(head: AlertState) -> bytes:
    """Return the canonical bytes: the same head always gives the same ones."""
    tree = _flat(head)
    tree["checkers"] = {name: _flat(state) for name, state in head.checkers.items()}
    return msgspec.json.encode(tree, order="sorted")


def decode_state(body: bytes) -> AlertState:
    """Read a head.

    Raises:
        NewerStateError: its schema is not known here yet.
        UnreadableStateError: anything else that is wrong with it.
    """
    tree = _tree(body)
    schema = tree.get("schema")
    if isinstance(schema, int) and schema > SCHEMA:
        raise NewerStateError(
            f"a newer version of Checkup wrote it (schema {schema}); update this one"
        )
    try:
        checkers = {name: _read(state, CheckerState) for name, state in tree["checkers"].items()}
        head = _read({**tree, "checkers": {}}, AlertState)
    except (msgspec.ValidationError, KeyError, AttributeError, TypeError) as error:
        raise UnreadableStateError(f"not a head: {type(error).__name__}: {error}") from None
    if schema != SCHEMA or (head.cursor and key_time(head.cursor) is None):
        raise UnreadableStateError("not a head: its schema or its cursor makes no sense")
    return msgspec.structs.replace(head, checkers=checkers)


def _tree(body: bytes) -> dict[str, Any]:
    if len(body) > _LARGEST:
        raise UnreadableStateError(f"not a head: {len(body)} bytes are too many")
    try:
        tree = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        raise UnreadableStateError("not a head: no valid JSON") from None
    if not isinstance(tree, dict):
        raise UnreadableStateError("not a head: no JSON object")
    return tree


def _read(tree: Mapping[str, Any], kind: type[Document]) -> Document:
    known = set(kind.__struct_fields__) - {"extra"}
    extra = {key: value for key, value in tree.items() if key not in known}
    mine = {key: value for key, value in tree.items() if key in known}
    return msgspec.convert({**mine, "extra": extra}, kind)


def _flat(document: Struct) -> dict[str, Any]:
    tree: dict[str, Any] = msgspec.to_builtins(document)
    return {**tree.pop("extra", {}), **tree}
