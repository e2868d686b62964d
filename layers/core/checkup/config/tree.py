"""The tree that JSON and YAML have in common: values with the place where they stand."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from msgspec import Struct


class ScalarStyle(Enum):
    """How a scalar is written, which decides what it may be read as.

    JSON has quoted texts, numbers and words (``true``, ``false``, ``null``). A plain scalar
    of YAML is whatever the key asks for: ``on`` is a boolean for ``tls`` and a text for
    ``group``.
    """

    QUOTED = "a text"
    NUMBER = "a number"
    WORD = "true, false or null"
    PLAIN = "a single value"


class ScalarNode(Struct, frozen=True, gc=False):
    """One value that holds no others.

    Attributes:
        at: offset in the text, in characters.
        text: the value without quotation marks and escapes.
    """

    at: int
    text: str
    form: ScalarStyle


class Member(Struct, frozen=True):
    """One key of an object and its value; ``at`` is the place of the key."""

    at: int
    key: str
    value: Node


class ObjectNode(Struct, frozen=True):
    """Keys with values, in the order of the file; a key may occur twice."""

    at: int
    members: tuple[Member, ...]


class ArrayNode(Struct, frozen=True):
    """A list of values."""

    at: int
    items: tuple[Node, ...]


Node: TypeAlias = ScalarNode | ObjectNode | ArrayNode

MAX_DEPTH = 100
"""Objects and lists may lie in each other this deep; a configuration needs six."""

_YAML_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def is_null(node: Node) -> bool:
    """Whether the value says that there is none."""
    if not isinstance(node, ScalarNode):
        return False
    if node.form is ScalarStyle.PLAIN:
        return node.text in _YAML_NULLS
    return node.form is ScalarStyle.WORD and node.text == "null"


def describe(node: Node) -> str:
    """Name what was found, without showing it: it may be a secret."""
    if isinstance(node, ObjectNode):
        return "an object"
    if isinstance(node, ArrayNode):
        return "a list"
    return node.text if node.form is ScalarStyle.WORD else node.form.value
