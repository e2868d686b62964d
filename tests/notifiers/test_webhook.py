"""What a webhook of one's own is sent.

Signed after https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time

import pytest
from msgspec.structs import replace

from checkup.errors import NotDeliveredError
from checkup.interfaces import NotifierSettings
from checkup.model import Status
from checkup.notifiers.webhook import WebhookSettings
from tests.notifiers.channels import SECRET
from tests.notifiers.clients import DirectClients
from tests.notifiers.sending import PAGE, sent
from tests.notifiers.stories import DOWN, LINKS, notification
from tests.servers.provider import Provider


def test_everything_there_is_to_know_is_sent(provider: Provider) -> None:
    request = sent(provider, "webhook", DOWN, total=3, status_counts={Status.DOWN: 2}, links=LINKS)

    assert request.path == f"/hook?token={SECRET}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-key"] == SECRET
    body = request.json
    (alert,) = body.pop("alerts")
    assert re.fullmatch(r"[0-9a-f]{32}", body.pop("id"))
    assert body == {
        "headline": "User service is down since 02:53 UTC: connection refused. 2 of 3 are down",
        "text": "User service is down since 02:53 UTC: connection refused. 2 of 3 are down\n\n"
        "Address: http://127.0.0.1:8000/?key=***\nSince: 2024-05-01 02:53 UTC\n"
        "Region: eu-central-1\nAlert: 1e91af9a\n"
        "Details: https://status.example.com/components/abc.html",
        "status": "down",
        "page_url": PAGE,
        "repeat": False,
        "count": 1,
        "total": 3,
        "down": 2,
    }
    assert alert == {
        "id": DOWN.id,
        "checker": "user-service",
        "title": "User service",
        "kind": "open",
        "status": "down",
        "before": "healthy",
        "slot": "2024-05-01T02:53:20Z",
        "since": "2024-05-01T02:53:20Z",
        "opened": "2024-05-01T02:53:20Z",
        "url": LINKS["user-service"],
        "endpoint": "http://127.0.0.1:8000/?key=***",
        "reason": "connection refused",
        "failure": "connect_refused",
        "region": "eu-central-1",
        "holds_back": [],
    }


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (SECRET, SECRET.encode()),
        (
            "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode(),
            b"0123456789abcdef01234567",
        ),
    ],
    ids=["text", "whsec"],
)
def test_signature_is_that_of_the_standard(provider: Provider, secret: str, key: bytes) -> None:
    before = int(time.time())
    channel = WebhookSettings(url=provider.url, secret=secret).open(DirectClients())

    channel.send(notification(DOWN))
    channel.send(notification(DOWN, possible_duplicate=True))

    first, again = provider.requests
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    stamp = first.headers["webhook-timestamp"]
    assert before <= int(stamp) <= time.time()
    signed = f"{first.headers['webhook-id']}.{stamp}.".encode() + first.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert first.headers["webhook-signature"] == f"v1,{expected}"


def test_method_can_be_another(provider: Provider) -> None:
    WebhookSettings(url=provider.url, method="PUT").open(DirectClients()).send(notification(DOWN))

    assert [request.method for request in provider.requests] == ["PUT"]
    assert provider.requests[0].json["status"] == "down"


def test_without_a_secret_nothing_is_signed(provider: Provider) -> None:
    WebhookSettings(url=provider.url).open(DirectClients()).send(notification(DOWN))

    assert "webhook-signature" not in provider.requests[0].headers
    assert "webhook-id" in provider.requests[0].headers


def test_template_stays_json_whatever_is_in_it(provider: Provider) -> None:
    template = (
        '{"title": "{{ status }}: {{headline}}", "tags": ["a"], "n": {{count}}, '
        '"again": {{repeat}}, "all": {{alerts}}, "of": "{{count}} of {{total}}"}'
    )
    nasty = replace(DOWN, title='"}\\{{text}}\n</x>', reason='", "admin": true, "x": "')
    channel = WebhookSettings(url=provider.url, template=template).open(DirectClients())

    channel.send(notification(nasty))

    body = provider.requests[0].json
    assert set(body) == {"title", "tags", "n", "again", "all", "of"}
    assert body["title"].startswith('down: "}\\{{text}} </x> is down since')
    assert (body["n"], body["again"], body["of"]) == (1, False, "1 of 10")
    assert body["all"][0]["reason"] == '", "admin": true, "x": "'.strip()


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{nothing}}", "unknown placeholder {{nothing}}; available: id, headline"),
        ("{{headline}}", "the result is not JSON"),
        ('{"a": "{{alerts}}"}', "the result is not JSON"),
        ('{"a": {{headline}}}', "the result is not JSON"),
        ("{", "the result is not JSON"),
        ("{{__class__}}", "unknown placeholder {{__class__}}"),
    ],
)
def test_template_that_leads_to_no_json_is_refused_at_once(template: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        WebhookSettings(url="http://127.0.0.1/", template=template)


@pytest.mark.parametrize(
    "headers",
    [{"X Y": ("a",)}, {"": ("a",)}, {"X": ("a\r\nY: b",)}, {"X": ("ü",)}, {"X:": ("a",)}],
    ids=str,
)
def test_s13_header_that_cannot_be_sent_is_refused_at_once(
    headers: dict[str, tuple[str, ...]],
) -> None:
    with pytest.raises(ValueError, match="is not a valid header"):
        WebhookSettings(url="http://127.0.0.1/", headers=headers)


@pytest.mark.parametrize(
    "settings",
    [
        WebhookSettings(),
        WebhookSettings(url="env:NOWHERE"),
        WebhookSettings(url="http://127.0.0.1:1/", secret="whsec_???"),
        WebhookSettings(url="http://127.0.0.1:1/", headers={"X": ("env:NOWHERE",)}),
    ],
    ids=["nothing", "reference", "secret", "header"],
)
def test_what_is_not_configured_well_keeps_the_message(settings: NotifierSettings) -> None:
    with pytest.raises(NotDeliveredError):
        settings.open(DirectClients()).send(notification(DOWN))
