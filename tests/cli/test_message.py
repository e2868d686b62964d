"""``checkup message``: words about one checker."""

from __future__ import annotations

from typing import Any

import pytest

from tests import gofile
from tests.cli.program import Program
from tests.cli.service import Service, closed_port

AMBIGUOUS = (
    "more than one result; unable to guess which one to attach message to;"
    " name it with --about TITLE"
)


def write(checkup: Program, *titles: str, url: str = "") -> None:
    target = url or f"http://127.0.0.1:{closed_port()}"
    checkers: list[dict[str, Any]] = [
        {"type": "http", "endpoint_name": title, "endpoint_url": target, "recheck": 0}
        for title in titles
    ]
    checkup.write({"checkers": checkers, "storage": {"type": "fs", "dir": "checks"}})


def messages(checkup: Program) -> list[str]:
    (run,) = checkup.runs()
    return [result.message for result in gofile.read(run.read_bytes())]


@pytest.mark.row("E17")
def test_only_checker_is_meant(checkup: Program) -> None:
    write(checkup, "api")

    ended = checkup("message", "We know.")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "Message posted\n", "")
    assert messages(checkup) == ["We know."]


@pytest.mark.row("E18")
@pytest.mark.parametrize(
    ("about", "expected"),
    [
        pytest.param("WEB shop", ["", "text", ""], id="case"),
        pytest.param("api", ["text", "", ""], id="first"),
        pytest.param("web-shop", ["", "text", ""], id="id"),
    ],
)
def test_title_is_meant_without_regard_to_case(
    checkup: Program, service: Service, about: str, expected: list[str]
) -> None:
    write(checkup, "Api", "Web Shop", "API", url=service.url)

    ended = checkup("message", "text", "--about", about)

    assert (ended.returncode, ended.stdout) == (0, "Message posted\n")
    assert messages(checkup) == expected


@pytest.mark.row("E19")
@pytest.mark.parametrize(
    ("titles", "arguments", "error"),
    [
        pytest.param(["a", "b"], ["text"], AMBIGUOUS, id="ambiguous"),
        pytest.param(
            ["a"], ["text", "-a", "X"], "no result for endpoint with title 'X'", id="none"
        ),
        pytest.param([], ["text"], "no result for endpoint with title ''", id="empty"),
        pytest.param(
            ["Website"],
            ["text", "-a", "websit"],
            "no result for endpoint with title 'websit'; did you mean \"Website\"?",
            id="slip",
        ),
        pytest.param(["Website"], [" "], "the message is empty", id="empty"),
    ],
)
def test_message_that_is_about_nothing_is_refused(
    checkup: Program, titles: list[str], arguments: list[str], error: str
) -> None:
    write(checkup, *titles)

    ended = checkup("message", *arguments)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.endswith(f" {error}\n")
    assert checkup.runs() == []


@pytest.mark.row("E19")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["message"], id="message-none"),
        pytest.param(["message", "two", "words"], id="message-two"),
        pytest.param(["every"], id="every-none"),
        pytest.param(["every", "1s", "2s"], id="every-two"),
    ],
)
def test_wrong_number_of_arguments_shows_the_help(checkup: Program, arguments: list[str]) -> None:
    ended = checkup(*arguments)

    assert ended.returncode == 1
    assert ended.stdout.startswith(f"Usage: checkup {arguments[0]}")
    assert ended.stderr.startswith("Error: ")


@pytest.mark.row("E20")
def test_markup_is_kept_as_text(checkup: Program) -> None:
    write(checkup, "api")

    checkup("message", '<b>down</b> & "out" ☂')

    assert messages(checkup) == ['<b>down</b> & "out" ☂']
    assert b"\\u003cb\\u003edown" in checkup.runs()[0].read_bytes()


def test_message_without_a_storage(checkup: Program) -> None:
    checkup.write({"checkers": []})

    ended = checkup("message", "text")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.endswith(" no storage configured\n")
