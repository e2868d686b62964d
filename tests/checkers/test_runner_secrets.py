"""Secrets of checkers are looked up once, at their first use, and shown nowhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.errors import UnavailableError
from checkup.interfaces import Checker, NotifierSettings
from checkup.interfaces.kinds import Secret, secret_fields
from checkup.model import Attempt, Result, Status
from tests.checkers.scripted import ScriptedChecker


class Telling(Checker, frozen=True, kw_only=True):
    """Fails with whatever it was given."""

    kind: ClassVar[str] = "telling"

    token: Annotated[Secret, Meta(description="A token.")] = ""
    user: str = ""

    def attempt(self, deadline: Deadline) -> Attempt:
        del deadline
        return Attempt(error=f"{self.user} says '{self.token}'", failure="shown")


class Vault:
    """A place for secrets that counts its visitors."""

    def __init__(self, **secrets: str) -> None:
        self.asked: list[str] = []
        self._secrets = secrets
        self._lock = threading.Lock()

    def __call__(self, value: str) -> str:
        with self._lock:
            self.asked.append(value)
        scheme, _, name = value.partition(":")
        if scheme != "env":
            return value
        if name not in self._secrets:
            raise UnavailableError(f"{value}: there is nothing under that name")
        return self._secrets[name]


def results_of(*checkers: Checker, secret: Callable[[str], str]) -> tuple[Result, ...]:
    return run_checks(checkers, deadline=Deadline.after(20), concurrency=4, secret=secret)


def test_checker_gets_the_secret_and_nobody_else() -> None:
    checker = Telling(token="env:TOKEN", user="Ada", endpoint_url="https://hunter22.test/")

    (result,) = results_of(checker, secret=Vault(TOKEN="hunter22"))

    assert result.error == "Ada says '***'"
    assert "hunter22" not in repr(result)
    assert checker.token == "env:TOKEN"


def test_secret_in_clear_is_shown_to_nobody_either() -> None:
    (result,) = results_of(Telling(token="hunter22"), secret=Vault())

    assert result.error == " says '***'"


def test_secret_is_looked_up_once_for_all_attempts_and_checkers() -> None:
    vault = Vault(TOKEN="hunter22")

    results_of(*[Telling(token="env:TOKEN", attempts=3)] * 20, secret=vault)

    assert vault.asked == ["env:TOKEN"]


def test_next_run_looks_it_up_again() -> None:
    vault = Vault(TOKEN="hunter22")

    for _ in range(2):
        results_of(Telling(token="env:TOKEN"), secret=vault)

    assert vault.asked == ["env:TOKEN"] * 2


def test_reference_to_nothing_is_unknown_and_harms_nobody_else() -> None:
    vault = Vault()

    results = results_of(*[Telling(token="env:NONE")] * 3, ScriptedChecker(), secret=vault)

    assert [result.status for result in results] == [Status.UNKNOWN] * 3 + [Status.HEALTHY]
    assert results[0].failure == "config"
    assert results[0].error == "env:NONE: there is nothing under that name"
    assert vault.asked == ["env:NONE"]


def test_no_secret_is_fetched_if_none_is_configured() -> None:
    vault = Vault()

    results_of(Telling(user="Ada"), ScriptedChecker(), secret=vault)

    assert vault.asked == []


def test_fields_that_hold_secrets_are_known_by_their_type() -> None:
    class Channel(NotifierSettings, frozen=True, kw_only=True):
        kind: ClassVar[str] = "channel"
        url: Annotated[Secret, Meta(description="Where.")]
        name: str = ""

    assert secret_fields(Telling) == ("token",)
    assert secret_fields(Channel) == ("url",)
