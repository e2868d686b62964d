"""Secrets by reference (``env:``, ``file:``, ``ssm:``, ``secretsmanager:``), resolved when used.

Secrets from AWS are cached for some minutes, or until a target rejects one: a rotated secret is
used without a deployment, and a checker does not fetch its secret every minute. Errors name the
reference and never the value.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

from msgspec import structs

from checkup.errors import CheckUnknownError, UnavailableError
from checkup.interfaces import Checker
from checkup.interfaces.kinds import secret_fields
from checkup.text import mask_secrets


class CheckerSecrets:
    """Resolves the secrets of checkers, once per run; for use in several threads."""

    def __init__(
        self, look_up: Callable[[str], str], forget: Callable[[], None] | None = None
    ) -> None:
        self._look_up = look_up
        self._forget = forget
        self._known: dict[str, str | CheckUnknownError] = {}
        self._used: set[str] = set()
        self._looking = Lock()  # clients of AWS must not be made by two threads at once

    def resolve(self, checker: Checker) -> Checker:
        """Return the checker with its references replaced by secrets.

        Raises:
            CheckUnknownError: a reference cannot be resolved.
        """
        written = _written(checker)
        if not written:
            return checker
        return structs.replace(
            checker, **{name: self._value(value) for name, value in written.items()}
        )

    def must_look_up(self, checker: Checker) -> bool:
        """Whether :meth:`resolve` would look up a secret, which may take long."""
        return not self._known.keys() >= set(_written(checker).values())

    def invalidate(self, checker: Checker) -> None:
        """Resolve the secrets of a checker again at its next attempt, because one was rejected."""
        written = _written(checker)
        if not written or self._forget is None:
            return
        with self._looking:
            self._forget()
            for reference in written.values():
                self._known.pop(reference, None)

    def mask(self, text: str) -> str:
        """Mask every secret that was used so far."""
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


AwsClientFactory = Callable[[str], Any]
"""Returns a client of the AWS service of that name."""

CACHE_SECONDS: Final = 300.0
_OF_AWS: Final = ("ssm:", "secretsmanager:")

_LINE_BREAK: Final = "\r\n"
"""What editors, ``echo`` and Kubernetes put after a secret; a header with it would be invalid."""


class SecretResolver:
    """Resolves references and caches what AWS returned; for use in several threads.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        aws: AwsClientFactory,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ = environ
        self._aws = cache(aws)
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}
        self._asking = Lock()  # clients of AWS must not be made by two threads at once

    def resolve(self, value: str) -> str:
        """Return the secret of a reference, or ``value`` itself if it is not a reference.

        Raises:
            UnavailableError: the reference cannot be resolved, or the secret is empty.
        """
        if not value.startswith(_OF_AWS):
            return resolve_secret(value, self._environ, self._aws)
        with self._asking:
            secret, until = self._known.get(value, ("", 0.0))
            if not secret or self._clock() >= until:
                secret = resolve_secret(value, self._environ, self._aws)
                self._known[value] = secret, self._clock() + CACHE_SECONDS
            return secret

    @property
    def has_cached(self) -> bool:
        """Whether any secret is cached."""
        return bool(self._known)

    def clear_cache(self) -> None:
        """Fetch every secret again when it is used next, because one of them was rejected."""
        with self._asking:
            self._known.clear()


def resolve_secret(value: str, environ: Mapping[str, str], aws: AwsClientFactory) -> str:
    """Return the secret of a reference, without a cache; see :meth:`SecretResolver.resolve`.

    Raises:
        UnavailableError: the reference cannot be resolved, or the secret is empty.
    """
    scheme, _, name = value.partition(":")
    match scheme:
        case "env":
            secret = environ.get(name, "")
        case "file":
            secret = _from_file(value, name)
        case "ssm":
            secret = _from_parameter(value, name, aws)
        case "secretsmanager":
            secret = _from_secrets_manager(value, name, aws)
        case _:
            return value.rstrip(_LINE_BREAK)
    secret = secret.rstrip(_LINE_BREAK)
    if not secret:
        if scheme == "env":
            state = "empty" if name in environ else "not set"
            raise UnavailableError(f"environment variable {name} is {state}")
        raise UnavailableError(f"{value} is empty")
    return secret


def _from_file(reference: str, name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UnavailableError(f"{reference}: {error.strerror}") from error
    except UnicodeDecodeError:
        # The library's error would carry the file's content.
        raise UnavailableError(f"{reference}: the file is not text") from None


def _from_parameter(reference: str, name: str, aws: AwsClientFactory) -> str:
    answer = _ask(reference, aws("ssm").get_parameter, Name=name, WithDecryption=True)
    return str(answer["Parameter"]["Value"])


def _from_secrets_manager(reference: str, name: str, aws: AwsClientFactory) -> str:
    secret_id, _, key = name.partition("#")
    answer = _ask(reference, aws("secretsmanager").get_secret_value, SecretId=secret_id)
    text = str(answer.get("SecretString", ""))
    return _member(reference, text, key) if key else text


def _member(reference: str, text: str, key: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        # The library's error would carry the secret.
        raise UnavailableError(f"{reference}: the secret is not JSON; leave out #{key}") from None
    if not isinstance(document, dict) or not isinstance(document.get(key), str):
        raise UnavailableError(f"{reference}: the secret has no string under {key}")
    return str(document[key])


def _ask(reference: str, call: Callable[..., Any], **question: str | bool) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError  # slow, optional

    try:
        return call(**question)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "refused")
        raise UnavailableError(f"{reference}: AWS returned {code}") from error
    except BotoCoreError as error:
        raise UnavailableError(f"{reference}: AWS could not be reached") from error
