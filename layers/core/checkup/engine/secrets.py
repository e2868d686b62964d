"""The secrets that checkers use: looked up at first use, kept for the run, shown nowhere."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from msgspec import structs

from checkup.errors import CheckUnknownError, UnavailableError
from checkup.options import secret_fields
from checkup.ports import Checker
from checkup.redaction import mask_secrets


class CheckerSecrets:
    """Fills the secrets of checkers in, once per run, in whichever thread needs one first."""

    def __init__(
        self, look_up: Callable[[str], str], forget: Callable[[], None] | None = None
    ) -> None:
        self._look_up = look_up
        self._forget = forget
        self._known: dict[str, str | CheckUnknownError] = {}
        self._used: set[str] = set()
        self._looking = Lock()  # clients of AWS must not be made by two threads at once

    def reveal(self, checker: Checker) -> Checker:
        """Return the checker with its secrets in the place of references to them.

        Raises:
            CheckUnknownError: a reference leads nowhere.
        """
        written = _written(checker)
        if not written:
            return checker
        return structs.replace(
            checker, **{name: self._value(value) for name, value in written.items()}
        )

    def doubt(self, checker: Checker) -> None:
        """Look the secrets of a checker up anew before it is looked at again: it was refused."""
        written = _written(checker)
        if not written or self._forget is None:
            return
        with self._looking:
            self._forget()
            for reference in written.values():
                self._known.pop(reference, None)

    def hide(self, text: str) -> str:
        """Return the text without any secret that was used so far."""
        values = sorted(self._used.copy())
        return mask_secrets(text, values) if values else text

    def _value(self, reference: str) -> str:
        with self._looking:
            if reference not in self._known:
                self._known[reference] = self._found(reference)
            found = self._known[reference]
        if isinstance(found, CheckUnknownError):
            raise CheckUnknownError(found.failure, str(found))
        return found

    def _found(self, reference: str) -> str | CheckUnknownError:
        try:
            secret = self._look_up(reference)
        except UnavailableError as error:
            return CheckUnknownError("config", str(error))
        self._used.add(secret)
        return secret


def _written(checker: Checker) -> dict[str, str]:
    """Return the secrets of a checker as they are configured, by their fields."""
    names = secret_fields(type(checker))
    return {name: value for name in names if (value := getattr(checker, name))}
