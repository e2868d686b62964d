"""What people do with the deployed stack from their own machines, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from checkup.alerting.state import STATE_KEY, AlertState, encode_state
from tests.cli.program import Ended
from tests.servers.slack import FakeSlack
from tests.stack.alarms import SIGNS_OF_LIFE, alarms_of
from tests.stack.day import MINUTE, minutes_ago, page_that_says
from tests.stack.deployment import Deployment, Fetched
from tests.stack.killing import Killed
from tests.stack.mending import Mended
from tests.stack.operators import READING, WRITING, Operator
from tests.stack.services import Service
from tests.stack.silence import schedules
from tests.stack.updating import SwitchedOn

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "status": ("status",),
    "explain": ("explain", "user-service"),
    "incidents": ("incident",),
    "maintenance": ("maintenance",),
    "channels": ("notify",),
    "cost": ("cost",),
}
FORGED = encode_state(AlertState())
"""A state in which nothing ever happened."""


@pytest.fixture(scope="session")
def reader(stack: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(stack, tmp_path_factory.mktemp("reader"), READING)


@pytest.fixture(scope="session")
def operator(stack: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    return Operator(stack, tmp_path_factory.mktemp("operator"), (*READING, *WRITING))


@dataclass(frozen=True)
class Restored:
    """An outage during which somebody forges the state, and somebody else restores it.

    Attributes:
        listed: the versions that there are, as the program lists them.
        chosen: the one from before the outage.
        said: by the program, when it had restored that.
        known: what the program says of the service afterwards.
        told: how many messages there were: by then, after the next run, and when all was well.
    """

    listed: str
    chosen: str
    said: str
    known: str
    told: list[int]


@pytest.fixture(scope="session")
def restored(
    stack: Deployment, killed: Killed, operator: Operator, slack: FakeSlack, users: Service
) -> Restored:
    assert killed
    begin, before, told = minutes_ago(7), len(slack.messages), []
    s3, bucket = stack.client("s3"), stack.outputs["StateBucketName"]
    chosen = s3.head_object(Bucket=bucket, Key=STATE_KEY)["VersionId"]
    users.well = False
    stack.check(begin)
    told.append(len(slack.messages) - before)
    s3.put_object(Bucket=bucket, Key=STATE_KEY, Body=FORGED)
    listed, said = operator.says("restore"), operator.says("restore", chosen)
    known = operator("explain", "user-service").stdout
    for minute, well in ((1, False), (2, True)):
        users.well = well
        stack.check(begin + minute * MINUTE)
        told.append(len(slack.messages) - before)
    return Restored(listed, chosen, said, known, told)


@dataclass(frozen=True)
class Consulted:
    """What a reader and an operator were told and did on an ordinary day.

    Attributes:
        answers: to questions that change nothing.
        refusal: to a reader who wanted to open an incident.
        tried: what came of the channels' test, and the first lines of what Slack had of it.
        opened: the page after an incident was opened.
        resolved: the incident's own page after it was resolved.
        planned: the page after maintenance was announced.
        called_off: the list of maintenance after it was called off.
    """

    answers: Mapping[str, str]
    refusal: Ended
    tried: tuple[str, list[str]]
    opened: Fetched
    resolved: Fetched
    planned: Fetched
    called_off: str


@pytest.fixture(scope="session")
def consulted(
    stack: Deployment,
    switched_on: SwitchedOn,
    reader: Operator,
    operator: Operator,
    slack: FakeSlack,
) -> Consulted:
    assert switched_on
    with ThreadPoolExecutor(2) as pool:
        asked = {name: pool.submit(reader, *words) for name, words in QUESTIONS.items()}
    answers = {name: answer.result().stdout for name, answer in asked.items()}
    refusal = reader("incident", "open", "Nobody hears of this")
    tried = operator.says("notify", "--test"), tests_of_channels(slack)
    incident = operator.says(
        *("incident", "open", "Payments fail", "--impact", "major", "--component", "User Service"),
        *("--message", "We look into it."),
    ).split()[0]
    opened = page_that_says(stack, "Payments fail", "We look into it.")
    operator.says("incident", "update", incident, "A disk is full.", "--status", "identified")
    operator.says("incident", "resolve", incident, "There is a larger disk.")
    told = f"/incidents/{incident}.html"
    resolved = page_that_says(stack, "There is a larger disk.", path=told)
    work = operator.says(
        *("maintenance", "add", "New database", "--from", "in 2h", "--for", "1h"),
        *("--component", "Website"),
    ).split()[0]
    planned = page_that_says(stack, "New database")
    operator.says("maintenance", "end", work, "Another time.")
    called_off = operator.says("maintenance")
    return Consulted(answers, refusal, tried, opened, resolved, planned, called_off)


def tests_of_channels(slack: FakeSlack) -> list[str]:
    """Return the messages that are no news."""
    return [text for text in slack.texts if "this is a test message" in text]


@dataclass(frozen=True)
class Commanded:
    """What an operator did to the runs of the stack and to its schedules.

    Attributes:
        message: the page after somebody had something to say.
        paused, resumed: the states of the schedules after that, and whether alarms for a silence
            tell anybody.
    """

    message: Fetched
    paused: set[tuple[str, bool]]
    resumed: set[tuple[str, bool]]


@pytest.fixture(scope="session")
def commanded(stack: Deployment, mended: Mended, operator: Operator) -> Commanded:
    assert mended
    operator.says("message", "--about", "User Service", "Soon back")
    message = page_that_says(stack, "Soon back")
    operator.says("pause")
    paused = vigilance(stack)
    operator.says("resume")
    return Commanded(message, paused, vigilance(stack))


def vigilance(stack: Deployment) -> set[tuple[str, bool]]:
    """Return the states of the schedules, each with those of the alarms for their silence."""
    alarms = alarms_of(stack)
    return {
        (schedule["State"], alarms[name]["ActionsEnabled"])
        for schedule in schedules(stack)
        for name in SIGNS_OF_LIFE
    }
