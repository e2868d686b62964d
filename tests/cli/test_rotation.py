"""Secrets that AWS keeps: asked for when needed, seldom, and again when they are refused."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from checkup.app import LiveClients, SecretRotationRetry
from checkup.checkers.http import HttpChecker
from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.errors import NotDeliveredError, UnavailableError
from checkup.model import Status
from checkup.notifiers.slack import SlackSettings
from checkup.secrets import CACHE_SECONDS, SecretResolver
from tests.notifiers.stories import DOWN, notification
from tests.servers.slack import FakeSlack
from tests.servers.web import WebServer

REFERENCE = "ssm:/checkup/token"


class ParameterStore:
    """Stands in for AWS, at the seam that the vault is given."""

    def __init__(self) -> None:
        self.values = {"/checkup/token": "first"}
        self.asked = 0
        self.clients = 0

    def client(self, service: str) -> ParameterStore:
        assert service == "ssm"
        self.clients += 1
        return self

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> dict[str, dict[str, str]]:  # noqa: N803 - boto3's
        assert WithDecryption
        self.asked += 1
        return {"Parameter": {"Value": self.values.get(Name, "")}}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> ParameterStore:
    return ParameterStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(store: ParameterStore, clock: Clock) -> SecretResolver:
    return SecretResolver({"HOOK": "plain"}, store.client, clock)


def test_nothing_is_asked_before_a_secret_is_needed(
    vault: SecretResolver, store: ParameterStore
) -> None:
    assert vault.resolve("env:HOOK") == "plain"
    assert (store.asked, store.clients) == (0, 0)


def test_answer_is_remembered_for_some_minutes(
    vault: SecretResolver, store: ParameterStore, clock: Clock
) -> None:
    assert vault.resolve(REFERENCE) == "first"
    store.values["/checkup/token"] = "second"
    clock.now = CACHE_SECONDS - 1
    assert vault.resolve(REFERENCE) == "first"
    clock.now = CACHE_SECONDS
    assert vault.resolve(REFERENCE) == "second"
    assert (store.asked, store.clients) == (2, 1)


def test_refused_secret_is_asked_for_again(vault: SecretResolver, store: ParameterStore) -> None:
    vault.resolve(REFERENCE)
    store.values["/checkup/token"] = "second"
    vault.clear_cache()
    assert vault.resolve(REFERENCE) == "second"


def test_what_is_not_there_is_not_remembered(vault: SecretResolver, store: ParameterStore) -> None:
    store.values.clear()
    with pytest.raises(UnavailableError, match="ssm:/checkup/token is empty"):
        vault.resolve(REFERENCE)
    store.values["/checkup/token"] = "new"
    assert vault.resolve(REFERENCE) == "new"


class TwoStores:
    """Parameters and secrets of AWS whose values end with a line break."""

    def get_parameter(self, **_: object) -> dict[str, Any]:
        return {"Parameter": {"Value": "hunter22\n"}}

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3's
        return {"SecretString": "hunter22\r\n" if SecretId == "plain" else '{"key":"hunter22\\n"}'}


@pytest.mark.parametrize(
    "reference",
    [
        "env:HOOK",
        "file:PATH",
        "ssm:/a",
        "secretsmanager:plain",
        "secretsmanager:b#key",
        "hunter22\n",
    ],
)
def test_final_line_break_belongs_to_no_secret(tmp_path: Path, reference: str) -> None:
    (tmp_path / "secret").write_text("hunter22\n")
    resolver = SecretResolver({"HOOK": "hunter22\n"}, lambda _: TwoStores())

    found = resolver.resolve(reference.replace("PATH", str(tmp_path / "secret")))

    assert found == "hunter22"


def test_secret_of_a_line_break_is_empty() -> None:
    with pytest.raises(UnavailableError, match="environment variable HOOK is empty"):
        SecretResolver({"HOOK": "\n"}, lambda _: TwoStores()).resolve("env:HOOK")


class Watched(LiveClients):
    """Counts how often it forgets."""

    forgot = 0

    def clear_secrets(self) -> None:
        self.forgot += 1
        super().clear_secrets()


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.mark.parametrize("status", [200, 301, 400, 429, 500])
def test_other_answers_say_nothing_about_secrets(web: WebServer, status: int) -> None:
    clients = Watched({})
    clients.post(web.url(f"/status/{status}"), b"", {})
    assert clients.forgot == 0


@pytest.mark.parametrize(
    "status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND]
)
def test_receiver_that_refuses_makes_the_next_message_ask_again(
    web: WebServer, status: HTTPStatus
) -> None:
    clients = Watched({})
    clients.post(web.url(f"/status/{status.value}"), b"", {})
    clients.request("GET", web.url(f"/status/{status.value}"), b"", {}, timeout=5)
    assert clients.forgot == 2


def test_rotated_token_of_a_checker_is_no_outage(
    vault: SecretResolver, store: ParameterStore, web: WebServer
) -> None:
    """The service that is looked at wants the second token, and the vault still has the first."""
    checker = HttpChecker(
        id="api", endpoint_url=web.url("/wants-token/second"), bearer_token=REFERENCE, recheck=1
    )
    vault.resolve(REFERENCE)
    store.values["/checkup/token"] = "second"
    (result,) = run_checks(
        [checker],
        deadline=Deadline.after(20),
        concurrency=1,
        previous_statuses={"api": Status.HEALTHY},
        secret=vault.resolve,
        forget_secrets=vault.clear_cache,
    )
    assert (result.status, result.rechecks) == (Status.HEALTHY, 1)


def test_old_token_stays_hidden_after_the_new_one_is_known(
    vault: SecretResolver, store: ParameterStore, web: WebServer
) -> None:
    def rotate() -> None:
        store.values["/checkup/token"] = "second"
        vault.clear_cache()

    checker = HttpChecker(
        id="api", endpoint_url=web.url("/status/401/first-and-second"), bearer_token=REFERENCE
    )
    (result,) = run_checks(
        [checker],
        deadline=Deadline.after(20),
        concurrency=1,
        previous_statuses={"api": Status.HEALTHY},
        secret=vault.resolve,
        forget_secrets=rotate,
    )
    assert result.status is Status.DOWN
    assert "first" not in result.error
    assert "second" not in result.error


class Remembering(LiveClients):
    """Clients of an AWS that the test holds."""

    def __init__(self, store: ParameterStore) -> None:
        super().__init__({})
        self._secrets = SecretResolver({}, store.client)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as server:
        yield server


def channel(clients: LiveClients) -> SecretRotationRetry:
    return SecretRotationRetry(SlackSettings(webhook=REFERENCE).open(clients), clients)


@pytest.mark.row("125")
def test_message_with_a_rotated_webhook_is_sent_again_at_once(
    store: ParameterStore, slack: FakeSlack
) -> None:
    store.values["/checkup/token"] = f"{slack.url}/services/T0000/B0000/old"
    clients = Remembering(store)
    clients.secret(REFERENCE)
    store.values["/checkup/token"] = slack.webhook
    slack.behave("404", "ok")

    channel(clients).send(notification(DOWN))

    assert len(slack.messages) == 1
    assert store.asked == 2


@pytest.mark.row("125")
def test_message_with_a_wrong_webhook_is_refused_once(
    store: ParameterStore, slack: FakeSlack
) -> None:
    store.values["/checkup/token"] = slack.webhook
    slack.behave("403")
    with pytest.raises(NotDeliveredError):
        channel(Remembering(store)).send(notification(DOWN))
    assert (len(slack.requests), store.asked) == (1, 1)


def test_channel_that_is_busy_is_not_asked_twice(store: ParameterStore, slack: FakeSlack) -> None:
    store.values["/checkup/token"] = slack.webhook
    clients = Remembering(store)
    clients.secret(REFERENCE)
    slack.behave("429")
    with pytest.raises(NotDeliveredError):
        channel(clients).send(notification(DOWN))
    assert len(slack.requests) == 1
