"""Did you mean …: the known name that is one slip away from an unknown one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

_LONGEST_NAME = 64
_FEW = 100
_SHORTEST = 3


class Nearest:
    """Known names, ready to be guessed at.

    A guess takes time by the length of the name and not by how many names there are: both
    sides are compared without one letter each, which covers a letter too many, too few,
    wrong, or swapped with the next. Case, ``-`` and ``_`` do not count.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)

    def guess(self, name: str) -> str:
        """Return the name that was probably meant, or an empty string."""
        if not _SHORTEST <= len(name) <= _LONGEST_NAME:
            return self._variants.get(_fold(name), "")
        for variant in _without_one(_fold(name)):
            if variant in self._variants:
                return self._variants[variant]
        return self._by_word(name.casefold())

    def advice(self, name: str) -> str:
        """Return ``did you mean "…"?``, or an empty string."""
        guess = self.guess(name)
        return f'did you mean "{guess}"?' if guess else ""

    @cached_property
    def _variants(self) -> dict[str, str]:
        variants: dict[str, str] = {}
        for name in self._names:
            folded = _fold(name)
            variants[folded] = name
            if _SHORTEST <= len(name) <= _LONGEST_NAME:
                for variant in _without_one(folded):
                    variants.setdefault(variant, name)
        return variants

    def _by_word(self, name: str) -> str:
        """Find ``endpoint_url`` for ``url`` and ``threshold_rtt`` for ``threshold``."""
        if len(self._names) > _FEW:
            return ""
        found = [
            known
            for known in self._names
            if known.startswith(f"{name}_") or known.endswith(f"_{name}")
        ]
        return found[0] if len(found) == 1 else ""


def _fold(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _without_one(name: str) -> Iterator[str]:
    yield name
    for index in range(len(name)):
        yield name[:index] + name[index + 1 :]
