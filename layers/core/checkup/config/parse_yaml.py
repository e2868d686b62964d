"""YAML without its traps: no tags that build things, no alias bombs, no depth without end.

The tree is built from the parser's events (libyaml's where it is there), so that nothing is
ever constructed. Plain scalars keep their text, and the key that they belong to decides
whether ``on`` or ``010`` is a truth, a number or a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import yaml
from msgspec import Struct

from checkup.config.source import (
    MAX_DEPTH,
    ArrayNode,
    Diagnostics,
    Member,
    Node,
    ObjectNode,
    ScalarNode,
    ScalarStyle,
)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LARGEST = 500_000
_NO_TAGS = "tags are not supported; remove the word that starts with !"
_CORE = "tag:yaml.org,2002:"
_TEXT_TAGS = frozenset({"!", f"{_CORE}str"})
_PLAIN_TAGS = frozenset(f"{_CORE}{name}" for name in ("int", "float", "bool", "null"))
_COLLECTION_TAGS = frozenset({None, "!", f"{_CORE}map", f"{_CORE}seq"})


_FIXES = {
    "mapping values are not allowed": 'put a value with ": " in it in quotes',
    "expected '-' indicator": 'begin each item of a list with "- ", and indent its keys alike',
    "expected <block end>": "indent the keys of an object alike",
    "while scanning a simple key": 'write a key and its value as "key: value"',
    "cannot start any token": "put the value in quotes",
}
"""What to do about an error of the parser, by a part of its message."""


class _Sized(Struct, frozen=True):
    """A node and how many nodes it stands for once its aliases are followed."""

    node: Node
    size: int


def parse_yaml(report: Diagnostics) -> Node:
    """Return the tree of the report's text.

    Raises:
        ConfigError: the text is not YAML, or uses more of it than a configuration needs.
    """
    try:
        return _Composer(report).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = min(mark.index, len(report.text)) if mark else 0
        fix = next((fix for part, fix in _FIXES.items() if part in str(error.problem)), "")
        if report.text[at : at + 1] == "\t":
            fix = "indent with spaces, not with tabs"
        fix = fix or "check this line and its indentation"
        report.abort(at, "", f"invalid YAML: {error.problem}", fix)
    except yaml.reader.ReaderError as error:
        at = min(int(error.position), len(report.text))
        report.abort(at, "", "control character, which YAML does not allow", "remove it")


class _Composer:
    def __init__(self, report: Diagnostics) -> None:
        self._report = report
        self._events: Iterator[Any] = iter(yaml.parse(report.text, Loader=_LOADER))
        self._anchors: dict[str, _Sized] = {}
        self._path: list[str] = []

    def document(self) -> Node:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            self._report.abort(0, "", "the file is empty", "write {} for an empty configuration")
        root = self._compose(next(self._events)).node
        next(self._events)
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            self._fail(
                following, "more than one document", "keep one and remove the --- between them"
            )
        return root

    def _compose(self, event: Any) -> _Sized:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if isinstance(event, yaml.ScalarEvent):
            found = _Sized(self._scalar(event), 1)
        else:
            found = self._collection(event)
        if event.anchor:
            self._anchors[event.anchor] = found
        return found

    def _collection(self, event: Any) -> _Sized:
        if event.tag not in _COLLECTION_TAGS:
            self._fail(event, "unexpected YAML tag", _NO_TAGS)
        if len(self._path) >= MAX_DEPTH:
            self._fail(event, f"nested more than {MAX_DEPTH} levels deep")
        read = self._object if isinstance(event, yaml.MappingStartEvent) else self._array
        found = read(event)
        if found.size > _LARGEST:
            self._fail(event, f"aliases expand to more than {_LARGEST} values")
        return found

    def _object(self, start: Any) -> _Sized:
        members, merged, size = list[Member](), list[Member](), 1
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._compose(event).node
            if not isinstance(key, ScalarNode):
                self._fail(event, "key is not a string", "keys are words, such as type")
            self._path.append(f".{key.text}" if self._path else key.text)
            value = self._compose(next(self._events))
            size += value.size
            if key.text == "<<" and key.form is ScalarStyle.PLAIN:
                merged += self._merge(event, value.node)
            else:
                members.append(Member(event.start_mark.index, key.text, value.node))
            self._path.pop()
        own = {member.key.casefold() for member in members}
        inherited = {member.key.casefold(): member for member in reversed(merged)}
        rest = [member for key, member in inherited.items() if key not in own]
        return _Sized(ObjectNode(start.start_mark.index, (*rest, *members)), size)

    def _array(self, start: Any) -> _Sized:
        items, size = list[Node](), 1
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self._path.append(f"[{len(items)}]")
            item = self._compose(event)
            self._path.pop()
            size += item.size
            items.append(item.node)
        return _Sized(ArrayNode(start.start_mark.index, tuple(items)), size)

    def _scalar(self, event: Any) -> ScalarNode:
        at, text = event.start_mark.index, event.value
        if event.tag in _PLAIN_TAGS or (event.tag is None and not event.style):
            return ScalarNode(at, text, ScalarStyle.PLAIN)
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            self._fail(event, "unexpected YAML tag", _NO_TAGS)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return ScalarNode(at, text, ScalarStyle.QUOTED)

    def _alias(self, event: Any) -> _Sized:
        found = self._anchors.get(event.anchor)
        if found is None:
            self._fail(event, "unknown alias", "define it with & before you use it with *")
        return found

    def _merge(self, event: Any, value: Node) -> list[Member]:
        sources = value.items if isinstance(value, ArrayNode) else (value,)
        members = list[Member]()
        for source in sources:
            if not isinstance(source, ObjectNode):
                self._fail(
                    event, "<< merges objects only", "define an object with & and merge it with *"
                )
            members += source.members
        return members

    def _fail(self, event: Any, text: str, fix: str = "") -> NoReturn:
        self._report.abort(event.start_mark.index, "".join(self._path), text, fix)
