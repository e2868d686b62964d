"""What a snapshot consists of: its structure, and apart from that the texts for people in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

STRUCTURE: Final = "structure/"
TEXTS: Final = "texts/"

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_HASH: Final = re.compile(r"\b[0-9a-f]{64}\b")
_BREAKS: Final = re.compile(r"([\]}],)(?=[\[{\"])")
_INLINE: Final = re.compile(r"(<(?:style|script)[^>]*>).*?(</(?:style|script)>)", re.DOTALL)
_NODE: Final = re.compile(r"(>)([^<>]*[^<>\s][^<>]*)(<)")
_TEXTUAL: Final = (
    "aria-label|title|alt|placeholder|content|data-(?:words|auto|light|dark|[a-z-]*text)"
)
_ATTRIBUTE: Final = re.compile(rf'((?:{_TEXTUAL})=")(?!default-src)([^"]* [^"]*)(")')


def parts(name: str, document: str) -> dict[str, str]:
    """Return a JSON document as two files: itself without texts, and its texts in order.

    A string with a space in it is a text. Hashes of contents depend on texts and are left out.
    Nothing else of the document is changed but that it gets line breaks, so that two documents
    that differ in any byte have different parts.
    """
    found: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        string = match[0]
        if " " not in string:
            return string
        return f'"<text {found.setdefault(string, len(found) + 1)}>"'

    structure = _HASH.sub("<sha256>", _STRING.sub(place, document))
    files = {f"{STRUCTURE}{name}": _BREAKS.sub(r"\1\n", structure).removesuffix("\n") + "\n"}
    if found:
        lines = (f"{number:3} {string}\n" for string, number in found.items())
        files[f"{TEXTS}{name}.txt"] = "".join(lines)
    return files


def page_parts(name: str, page: str) -> dict[str, str]:
    """Return a page of HTML as two files, as :func:`parts` does a JSON document.

    Style sheets and scripts are known by their hashes in the page's policy.
    """
    found: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        before, words, after = match.groups()
        return f"{before}[text {found.setdefault(words, len(found) + 1)}]{after}"

    structure = _NODE.sub(place, _ATTRIBUTE.sub(place, _INLINE.sub(r"\1\2", page)))
    lines = (
        f"{number:3} {json.dumps(words, ensure_ascii=False)}\n" for words, number in found.items()
    )
    return {f"{STRUCTURE}{name}": structure, f"{TEXTS}{name}.txt": "".join(lines)}


def parts_of(name: str, lines: list[Any]) -> dict[str, str]:
    """Return documents that were not bytes when they were seen, one on each line."""
    return parts(name, "\n".join(json.dumps(line, ensure_ascii=False) for line in lines))


def text(name: str, content: str) -> dict[str, str]:
    """Return what is text from beginning to end."""
    return {f"{TEXTS}{name}.txt": content}


def schema(value: Any) -> Any:
    """Return the keys of a JSON value and the types of what is there; of lists all that occur."""
    match value:
        case Mapping():
            return {key: schema(value[key]) for key in sorted(value)}
        case list():
            seen = {json.dumps(schema(item), sort_keys=True) for item in value}
            return [json.loads(item) for item in sorted(seen)]
    return type(value).__name__
