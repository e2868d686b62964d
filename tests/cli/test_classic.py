"""The classic file of the Go program's users, from the first look to the recovery message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests import gofile
from tests.cli.program import Program, wait_until
from tests.cli.service import Service, running_service
from tests.servers.slack import FakeSlack


@pytest.fixture
def billing() -> Iterator[Service]:
    with running_service() as service:
        yield service


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


def classic(users: Service, billing: Service, slack: FakeSlack) -> str:
    """Return the file as it has been written since 2018."""
    return f"""{{
      "checkers": [
        {{"type": "http", "endpoint_name": "user-service",
          "endpoint_url": "{users.url}", "attempts": 3}},
        {{"type": "http", "endpoint_name": "billing-service",
          "endpoint_url": "{billing.url}", "attempts": 3}}
      ],
      "storage": {{
        "provider": "fs", "dir": "./check_files", "url": "http://127.0.0.1:2015/check_files"
      }},
      "notifier": {{
        "name": "slack", "username": "Checkup", "channel": "#ops", "webhook": "{slack.webhook}"
      }}
    }}"""


def test_classic_file_works_from_the_first_look_to_the_recovery(
    checkup: Program, service: Service, billing: Service, slack: FakeSlack
) -> None:
    (checkup.folder / "checkup.json").write_text(classic(service, billing, slack))

    looked = checkup()
    assert looked.returncode == 0
    assert re.findall(r"^== (\S+) - ", looked.stdout, re.MULTILINE) == [
        "user-service",
        "billing-service",
    ]
    assert not (checkup.folder / "check_files").exists()

    with checkup.start("every", "1s") as process:
        wait_for_runs(checkup, 2)
        billing.down()
        wait_until(lambda: len(slack.messages) == 1)
        wait_for_runs(checkup, 2)
        billing.up()
        wait_until(lambda: len(slack.messages) == 2)
        wait_for_runs(checkup, 2)
        process.terminate()
        stdout, stderr = process.communicate(timeout=30)

    assert (process.returncode, stdout) == (0, "")
    assert slack.webhook not in stderr
    outage, recovery = (json.dumps(message) for message in slack.messages)
    assert "billing-service" in outage
    assert "billing-service" in recovery
    assert "user-service" not in outage + recovery
    assert len(slack.requests) == 2
    statuses = [seen(run.read_bytes()) for run in checkup.runs("check_files")]
    assert statuses[0] == "healthy"
    assert "down" in statuses
    assert statuses[-1] == "healthy"
    index = gofile.read_index((checkup.folder / "check_files/index.json").read_bytes())
    assert set(index) == {run.name for run in checkup.runs("check_files")}


def wait_for_runs(checkup: Program, more: int) -> None:
    """Wait until so many further runs are stored."""
    before = len(checkup.runs("check_files"))
    wait_until(lambda: len(checkup.runs("check_files")) >= before + more)


def seen(body: bytes) -> str:
    """Return what Go reads about the billing service, and hold it to have seen both."""
    users, billing = gofile.read(body)
    assert (users.title, users.healthy, len(users.times)) == ("user-service", True, 3)
    assert (billing.title, len(billing.times)) == ("billing-service", 3)
    return "healthy" if billing.healthy else "down" if billing.down else "unknown"


def test_look_and_message_tell_nobody(
    checkup: Program, service: Service, billing: Service, slack: FakeSlack
) -> None:
    (checkup.folder / "checkup.json").write_text(classic(service, billing, slack))
    service.down()

    assert checkup().returncode == 1

    assert slack.requests == []


def test_channel_that_is_dead_harms_nothing_and_is_reported(
    checkup: Program, service: Service, billing: Service, slack: FakeSlack
) -> None:
    (checkup.folder / "checkup.json").write_text(classic(service, billing, slack))
    slack.behave("404")
    service.down()

    ended = checkup("--store")

    assert (ended.returncode, ended.stdout) == (3, "")
    assert "slack: alerts cannot be delivered: Slack answered 404" in ended.stderr
    assert "secretsecretsecret" not in ended.stderr

    slack.behave("ok")
    assert checkup("--store").returncode == 0

    assert len(slack.messages) == 1
