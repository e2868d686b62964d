"""What every kind of channel is sent over the demo's invented year, on servers that play them all.

Of the year there are the hours around each of its events.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from ssl import SSLContext
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from examples.demo.story import EVENTS, HOUR, MINUTE, Year
from examples.demo.year import configuration
from tests.machine import machine
from tests.project.snapshots.parts import parts_of
from tests.servers.base import Handler, HttpServer
from tests.servers.certificates import Authority
from tests.servers.mail import Mailbox, mail_server
from tests.servers.slackapi import CHANNEL, TOKEN, FakeSlackApi

END: Final = 1_769_947_200 * 10**9
"""2026-02-01 12:00 UTC."""

STEP: Final = 15 * MINUTE
AROUND: Final = 45 * MINUTE
LONGEST: Final = 4 * HOUR

SECRET: Final = "s3cr3tS3CR3Ts3cr3tS3CR3Ts3cr3t"
TO: Final = {"from": "Checkup <checkup@mg.example>", "to": ["ops@mg.example", "boss@mg.example"]}

HOSTS: Final = {
    "hooks.slack.com": "ok",
    "discord.com": '{"id": "1"}',
    "api.mailgun.net": '{"id": "<1@mg.example.com>", "message": "Queued. Thank you."}',
    "api.pushover.net": '{"status": 1, "request": "647d2300-702c-4b38-8b2f-d56326ae460b"}',
    "hooks.example": "",
    "events.pagerduty.com": '{"status": "success", "message": "Event processed"}',
    "sns.eu-central-1.amazonaws.com": (
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
        "<MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult>"
        "</PublishResponse>"
    ),
    "slack.com": "",
}
"""What each provider answers."""

NAMES: Final = {
    "hooks.slack.com": "slack-webhook",
    "discord.com": "discord",
    "api.mailgun.net": "mailgun",
    "api.pushover.net": "pushover",
    "hooks.example": "webhook",
    "events.pagerduty.com": "pagerduty",
    "sns.eu-central-1.amazonaws.com": "sns",
    "slack.com": "slack-bot",
}

NOTIFIERS: Final[list[dict[str, Any]]] = [
    {"type": "slack", "id": "slack-webhook", "webhook": "env:SLACK", "username": "Checkup"},
    {"type": "slack", "id": "slack-bot", "token": "env:TOKEN", "channel": CHANNEL},
    {"type": "discord", "webhook": "env:DISCORD"},
    {"type": "mail", **TO, "smtp": {"server": "mail.example", "tls": "never"}},
    {"type": "mailgun", **TO, "apikey": "env:SECRET", "domain": "mg.example"},
    {"type": "pushover", "token": "env:SECRET", "recipient": "env:SECRET"},
    {"type": "pagerduty", "routing_key": "env:SECRET"},
    {
        "type": "sns",  # for some only, as AWS's client takes long to start
        "topic_arn": "arn:aws:sns:eu-central-1:123456789012:alarms",
        "groups": ["Background"],
    },
    {"type": "webhook", "url": "env:HOOK", "secret": "env:SECRET"},
]

_ENVIRON: Final = {
    "SLACK": f"https://hooks.slack.com/services/T0/B0/{SECRET}",
    "TOKEN": TOKEN,
    "DISCORD": f"https://discord.com/api/webhooks/1/{SECRET}",
    "HOOK": "https://hooks.example/hook",
    "SECRET": SECRET,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}

_VARYING: Final = frozenset(
    {
        *("accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request", "authorization"),
        *("connection", "content-length", "host", "user-agent", "webhook-signature"),
        *("x-amz-date", "x-amz-content-sha256"),
    }
)
"""Headers of the connection, and those that depend on today or on texts."""


class Providers(HttpServer):
    """Plays all providers behind one port, with TLS, while the block runs.

    Attributes:
        requests: what each of them was asked, in order.
        slack: plays the one that remembers what it was told.
    """

    def __init__(self, context: SSLContext) -> None:
        self.requests: dict[str, list[Any]] = defaultdict(list)
        self.slack = FakeSlackApi()
        self._settled = 0
        super().__init__(_Provider)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def settle(self) -> None:
        """Put PagerDuty's events since the last time in order: they are sent side by side."""
        events = self.requests["pagerduty"]
        events[self._settled :] = sorted(events[self._settled :], key=json.dumps)
        self._settled = len(events)

    def down(self) -> None:
        super().down()
        self.slack._server.server_close()


class _Provider(Handler):
    owner: Providers

    def serve(self, method: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body, host = self.body(), headers["host"]
        kept = {name: value for name, value in headers.items() if name not in _VARYING}
        request = {
            "method": method,
            "path": self.path,
            "headers": dict(sorted(kept.items())),
            "body": _parsed(headers["content-type"], body),
        }
        self.owner.requests[NAMES[host]].append(request)
        said = HOSTS[host]
        if host == "slack.com":
            _, answer = self.owner.slack.answer(self.path.removeprefix("/api/"), body, headers)
            said = json.dumps(answer)
        self.answer(202 if host == "events.pagerduty.com" else 200, said.encode())


def _parsed(kind: str, body: bytes) -> Any:
    if kind.startswith("application/x-www-form-urlencoded"):
        fields = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
        return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}
    return json.loads(body)


def made(folder: Path) -> dict[str, str]:
    """Return what each channel was sent, one message on a line; the folder is empty."""
    authority = Authority(folder)
    (folder / "checks").mkdir()
    year = Year(end=END)
    (folder / "checkup.json").write_text(json.dumps(_configuration(year)))
    roots = {"SSL_CERT_FILE": str(authority.roots), "AWS_CA_BUNDLE": str(authority.roots)}
    with ExitStack() as stack:
        providers = stack.enter_context(Providers(authority.named(*HOSTS)))
        mailbox = stack.enter_context(mail_server(Mailbox()))
        ports = {443: providers.port, 25: mailbox.port}
        here = stack.enter_context(machine(folder, ports, environ={**_ENVIRON, **roots}))
        here.expect(END - 366 * 24 * HOUR, "ping", "beat")
        for slot, matters in _written(year, folder / "checks"):
            if matters:
                here.expect(slot + MINUTE, "--store", "beat")
                providers.settle()
        sent = {**providers.requests, "mail": [_mail(it.original_content) for it in mailbox.mails]}
    assert {*sent} == {*NAMES.values(), "mail"}
    files = (parts_of(f"notifications/{name}.jsonl", lines) for name, lines in sent.items())
    return {name: body for parts in files for name, body in parts.items()}


def _configuration(year: Year) -> dict[str, Any]:
    found = configuration(year)
    beat = {"type": "heartbeat", "id": "beat", "endpoint_name": "Beat", "period": "9000h"}
    return {
        **found,
        "recheck": 0,
        "checkers": [*found["checkers"], beat],
        "storage": {"type": "fs", "dir": "checks"},
        "notifiers": NOTIFIERS,
    }


def _written(year: Year, folder: Path) -> Iterator[tuple[int, bool]]:
    """Write the runs around the events; yield their slots, and whether alerts may be due."""
    before: list[Any] = []
    for slot, results in year.runs(STEP):
        if not _is_near(year.end - slot):
            continue
        found = [msgspec.to_builtins(result) for result in results]
        body = json.dumps([_without_defaults(result) for result in found])
        (folder / f"{slot:019d}-check.json").write_text(body)
        before = [*before[-2:], [{**it, "times": (), "timestamp": slot} for it in found]]
        changed = any(_statuses(it) != _statuses(found) for it in before)
        yield slot, changed or not slot % (6 * HOUR)


def _is_near(before: int) -> bool:
    return any(
        it.before + AROUND >= before >= it.before - min(it.length, LONGEST) - AROUND
        for it in EVENTS
    )


def _statuses(results: list[dict[str, Any]]) -> list[tuple[bool, ...]]:
    return [tuple(it[status] for status in ("healthy", "degraded", "down")) for it in results]


def _without_defaults(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result as a check file has it."""
    times = [{"rtt": it["rtt"], **{k: v for k, v in it.items() if v}} for it in result["times"]]
    return {key: value for key, value in {**result, "times": times}.items() if value}


def _mail(content: bytes | str | None) -> dict[str, Any]:
    assert isinstance(content, bytes)
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    headers = {name: str(value) for name, value in mail.items() if name != "Content-Type"}
    bodies = {
        part.get_content_type(): part.get_content()
        for part in mail.walk()
        if not part.is_multipart()
    }
    return {"type": mail.get_content_type(), "headers": headers, "parts": bodies}
