"""Digests of a configuration, which show whether runs were made with the same one.

They are stored with runs and logged, so they are made of what is public: a short secret could be
guessed from its digest. Of a secret, of a header's value and of whatever else is marked as private
they hold only that it is set, and of addresses and texts what is stored of them too. What has its
default is left out, so that a version of the program that knows more keys makes the same digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct

from checkup.config.fields import fields_of
from checkup.config.settings import Config
from checkup.interfaces import Checker
from checkup.text import mask_address

_LETTERS: Final = 12
_NONE: Final[Mapping[str, str]] = {}

_WITHOUT_INFLUENCE: Final = frozenset(Checker.__struct_fields__) - {
    "endpoint_url",
    "threshold_rtt",
    "attempts",
    "attempt_spacing",
    "timeout",
    "recheck",
}
"""Names of a checker, and when and where it alerts: no result depends on them."""


def config_digest(config: Config, masks: Sequence[str], shown: Mapping[str, str] = _NONE) -> str:
    """Return the digest of everything in a configuration.

    Args:
        masks: values that came from the environment.
        shown: texts of the configuration, and how they look without these values.
    """
    return _digest(_public(config, _TextMasker(masks, shown)))


def checker_digests(
    config: Config, masks: Sequence[str], shown: Mapping[str, str] = _NONE
) -> dict[str, str]:
    """Return the digest of what each checker checks, and how, by its id.

    Args:
        masks: values that came from the environment.
        shown: texts of the configuration, and how they look without these values.
    """
    masker = _TextMasker(masks, shown)
    return {checker.id: _definition(checker, masker) for checker in config.checkers}


class _TextMasker(NamedTuple):
    """Masks what must not be known of texts.

    A value of the environment is looked for only in a text that is not in the file as it is: the
    name of a region may be the value of a variable, and stand in an address too.
    """

    masks: Sequence[str]
    shown: Mapping[str, str]

    def text(self, value: str) -> str:
        known = self.shown.get(value)
        return mask_address(value, self.masks) if known is None else mask_address(known)


def _definition(checker: Checker, masker: _TextMasker) -> str:
    public = _public(checker, masker)
    return _digest(
        {name: value for name, value in public.items() if name not in _WITHOUT_INFLUENCE}
    )


def _digest(tree: Mapping[str, Any]) -> str:
    text = json.dumps(tree, sort_keys=True)  # which takes any number, and halves of characters
    return hashlib.sha256(text.encode()).hexdigest()[:_LETTERS]


def _public(settings: Struct, masker: _TextMasker) -> dict[str, Any]:
    """Return the public part of settings, without defaults."""
    public: dict[str, Any] = {"kind": getattr(settings, "kind", "")}
    for field in fields_of(type(settings)).table.values():
        value = getattr(settings, field.name)
        if value != field.default:
            public[field.name] = field.is_private or _masked(value, masker)
    return public


def _masked(value: Any, masker: _TextMasker) -> Any:
    if isinstance(value, str):
        return masker.text(value)
    if isinstance(value, Struct):
        return _public(value, masker)
    if isinstance(value, Mapping):
        return {name: _masked(item, masker) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_masked(item, masker) for item in value]
    return value
