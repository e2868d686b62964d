"""What each provider is sent, against its documentation restated here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from checkup.errors import Refused, Rejected, Unanswered
from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.mailgun import MailgunSettings
from checkup.notifiers.pagerduty import PagerdutySettings
from checkup.notifiers.pushover import PushoverSettings
from checkup.notifiers.sns import SnsSettings
from checkup.notifiers.webhook import WebhookSettings
from checkup.notifiers.wording import short_id
from checkup.ports import NotifierSettings
from tests.notifiers.channels import ARN, BY_NAME, SECRET
from tests.notifiers.clients import DirectClients, RoutedClients
from tests.notifiers.stories import BACK, DOWN, many, told
from tests.servers.provider import Provider, Say

PAGE = "https://status.example.com/"
SLOW = replace(DOWN, status=Status.DEGRADED, failure="slow")
LONG = replace(DOWN, title="🔥" * 3000, reason="*" * 3000, endpoint="<" * 3000, region="&" * 3000)


def sent(provider: Provider, name: str, *alerts: Alert, **more: Any) -> Any:
    provider.behave(BY_NAME[name].good)
    BY_NAME[name].open(provider.url).send(told(*alerts, **{"page_url": PAGE, **more}))
    return provider.requests[-1]


class TestDiscord:
    """https://discord.com/developers/docs/resources/message#embed-object-embed-limits."""

    @staticmethod
    def check(message: Any) -> None:
        def units(text: str) -> int:
            return len(text.encode("utf-16-le")) // 2

        assert set(message) == {"username", "content", "embeds", "allowed_mentions"}
        assert message["allowed_mentions"] == {"parse": []}
        assert 0 < units(message["content"]) <= 2000
        assert 0 < len(message["embeds"]) <= 10
        total = 0
        for embed in message["embeds"]:
            fields = embed.get("fields", [])
            texts = [embed.get("title", ""), embed.get("description", "")]
            texts.append(embed.get("footer", {}).get("text", ""))
            limits = zip(texts, (256, 4096, 2048), strict=True)
            assert all(units(text) <= limit for text, limit in limits)
            assert 0 <= embed["color"] <= 0xFFFFFF
            assert len(fields) <= 25
            for field in fields:
                assert 0 < units(field["name"]) <= 256
                assert 0 < units(field["value"].strip()) <= 1024
                assert isinstance(field["inline"], bool)
            total += sum(map(units, texts))
            total += sum(units(field["name"]) + units(field["value"]) for field in fields)
        assert total <= 6000

    @pytest.mark.parametrize("status", [Status.DOWN, Status.DEGRADED], ids=["D12-down", "D12-slow"])
    def test_bad_state_has_the_shape_of_the_go_program(
        self, provider: Provider, status: Status, capfd: pytest.CaptureFixture[str]
    ) -> None:
        request = sent(provider, "discord", replace(DOWN, status=status))

        assert request.path == f"/api/webhooks/1/{SECRET}?wait=true"
        assert request.headers["content-type"] == "application/json"
        message = request.json
        self.check(message)
        assert message["username"] == "Checkup"
        (embed,) = message["embeds"]
        assert embed["color"] == 12719112
        assert embed["fields"][:3] == [
            {"name": "Name", "value": "User service", "inline": True},
            {"name": "Status", "value": f"**{status.upper()}**", "inline": True},
            {
                "name": "Endpoint",
                "value": "http\\:\\/\\/127\\.0\\.0\\.1\\:8000\\/?key\\=\\*\\*\\*",
                "inline": True,
            },
        ]
        assert embed["footer"] == {"text": f"alert {short_id(DOWN)}"}
        assert embed["url"] == PAGE
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("said", [Say(204), Say(200, "{}")], ids=["D12-204", "D12-200"])
    def test_both_kinds_of_yes_are_yes(self, provider: Provider, said: Say) -> None:
        provider.behave(said)

        BY_NAME["discord"].open(provider.url).send(told(DOWN))

    @pytest.mark.parametrize(
        "alerts",
        [[LONG], [LONG] * 5, [LONG] * 6, many(200), [replace(DOWN, title="", endpoint="")]],
        ids=["fault-124-one", "fault-124-five", "fault-124-list", "fault-115", "empty"],
    )
    def test_limits_are_kept(self, provider: Provider, alerts: list[Alert]) -> None:
        apart = [replace(a, checker=f"{n}", id=f"{n}/open:down/1/5") for n, a in enumerate(alerts)]

        self.check(sent(provider, "discord", *apart, total=200, repeat=True).json)

    def test_code_of_an_error_is_named(self, provider: Provider) -> None:
        provider.behave(Say(404, '{"message": "Unknown Webhook", "code": 10015}'))

        with pytest.raises(Refused, match=r"^Discord answered 404 \(10015\)$"):
            BY_NAME["discord"].open(provider.url).send(told(DOWN))


class TestPushover:
    """https://pushover.net/api#messages."""

    @staticmethod
    def check(form: dict[str, str]) -> None:
        known = {"token", "user", "message", "title", "url", "url_title", "priority", "timestamp"}
        assert set(form) <= known
        assert re.fullmatch(r"[A-Za-z0-9]{30}", form["token"])
        assert re.fullmatch(r"[A-Za-z0-9]{30}", form["user"])
        assert 0 < len(form["message"]) <= 1024
        assert 0 < len(form["title"]) <= 250
        assert len(form.get("url", "")) <= 512
        assert len(form.get("url_title", "")) <= 100
        assert form["priority"] in {"-2", "-1", "0", "1"}

    @pytest.mark.parametrize(
        ("alert", "priority", "title"),
        [
            pytest.param(DOWN, "1", "Checkup: Service Unavailable", id="D14-down"),
            pytest.param(SLOW, "0", "Checkup: Service Unavailable", id="D14-degraded"),
            pytest.param(BACK, "-1", "Checkup", id="D14-healthy"),
        ],
    )
    def test_title_is_the_subject_and_severity_the_priority(
        self, provider: Provider, alert: Alert, priority: str, title: str
    ) -> None:
        request = sent(provider, "pushover", alert)

        assert request.path == "/api.pushover.net/1/messages.json"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        self.check(request.form)
        assert (request.form["priority"], request.form["title"]) == (priority, title)
        assert request.form["message"].startswith("User service is ")
        assert request.form["url"] == PAGE

    @pytest.mark.parametrize(
        "alerts",
        [[LONG], [LONG] * 5, many(200), [replace(LONG, holds_back=("x" * 500,) * 9)]],
        ids=["fault-124-one", "fault-124-five", "fault-115", "fault-124-explains"],
    )
    def test_limits_are_kept(self, provider: Provider, alerts: list[Alert]) -> None:
        apart = [replace(a, checker=f"{n}", id=f"{n}/open:down/1/5") for n, a in enumerate(alerts)]

        self.check(sent(provider, "pushover", *apart, repeat=True).form)

    @pytest.mark.parametrize("key", ["short", SECRET + "x", "!" * 30, "ü" * 30, ""])
    def test_key_that_is_none_is_refused_here(self, provider: Provider, key: str) -> None:
        for settings in (
            PushoverSettings(token=key, recipient=SECRET),
            PushoverSettings(token=SECRET, recipient=key),
        ):
            with pytest.raises(Refused, match=r"^pushover: (invalid|no) (API token|recipient)"):
                settings.open(RoutedClients(provider.url)).send(told(DOWN))

        assert provider.requests == []

    @pytest.mark.parametrize(
        ("said", "error", "words"),
        [
            ({"user": "invalid"}, Refused, "Pushover answered 400 (user)"),
            ({"token": "invalid"}, Refused, "Pushover answered 400 (token)"),
            ({"message": "cannot be blank"}, Rejected, "Pushover answered 400 (message)"),
        ],
        ids=str,
    )
    def test_named_parameter_says_whose_fault_it_is(
        self, provider: Provider, said: dict[str, str], error: type[Exception], words: str
    ) -> None:
        provider.behave(Say(400, json.dumps({"status": 0, "errors": ["..."], **said})))

        with pytest.raises(error) as caught:
            BY_NAME["pushover"].open(provider.url).send(told(DOWN))

        assert str(caught.value) == words


class TestMailgun:
    """https://documentation.mailgun.com/docs/mailgun/api-reference/openapi-final/tag/Messages/."""

    def test_d13_mail_goes_as_text_and_as_html(self, provider: Provider) -> None:
        request = sent(provider, "mailgun", DOWN)

        assert request.path == "/api.mailgun.net/v3/mg.example.com/messages"
        credentials = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        assert credentials == f"api:{SECRET}"
        form = request.form
        assert set(form) == {
            *("from", "to", "subject", "text", "html", "o:tracking"),
            *("h:Message-Id", "h:References", "h:Auto-Submitted"),
        }
        assert form["from"] == "Checkup <checkup@mg.example.com>"
        assert form["to"] == "ops@example.com, boss@example.com"
        assert form["subject"].startswith("Checkup: Service Unavailable: User service is down")
        assert form["text"].startswith("User service is down since 02:53 UTC: connection refused\n")
        assert "<b>User service</b> is down since" in form["html"]
        assert re.fullmatch(r"<checkup\.[0-9a-f]{32}@mg\.example\.com>", form["h:Message-Id"])

    def test_europe_has_its_own_address(self, provider: Provider) -> None:
        settings = MailgunSettings(
            from_="a@example.com", to=("b@example.com",), apikey="k", domain="x/y", region="eu"
        )
        provider.behave(BY_NAME["mailgun"].good)

        settings.open(RoutedClients(provider.url)).send(told(DOWN))

        assert provider.requests[0].path == "/api.eu.mailgun.net/v3/x%2Fy/messages"

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            ("to parameter is not a valid address. please check documentation", Refused),
            ("'from' parameter is not a valid address. please check", Refused),
            ("text is too strange", Rejected),
        ],
    )
    def test_named_parameter_says_whose_fault_it_is(
        self, provider: Provider, words: str, error: type[Exception]
    ) -> None:
        provider.behave(Say(400, json.dumps({"message": words})))

        with pytest.raises(error):
            BY_NAME["mailgun"].open(provider.url).send(told(DOWN))

    @pytest.mark.parametrize("absent", ["from_", "to", "apikey", "domain"])
    def test_what_is_not_configured_keeps_the_mail(self, provider: Provider, absent: str) -> None:
        settings = BY_NAME["mailgun"].settings("")
        empty: object = () if absent == "to" else ""

        with pytest.raises(Refused):
            replace(settings, **{absent: empty}).open(RoutedClients(provider.url)).send(told(DOWN))

        assert provider.requests == []


class TestPagerduty:
    """https://developer.pagerduty.com/docs/send-alert-event."""

    @staticmethod
    def check(event: Any) -> None:
        assert set(event) <= {
            *("routing_key", "event_action", "dedup_key", "payload", "client", "client_url"),
        }
        assert event["routing_key"] == SECRET
        assert event["event_action"] in {"trigger", "acknowledge", "resolve"}
        assert 0 < len(event["dedup_key"]) <= 255
        if event["event_action"] == "resolve":
            return
        payload = event["payload"]
        assert 0 < len(payload["summary"]) <= 1024
        assert payload["source"]
        assert payload["severity"] in {"critical", "error", "warning", "info"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", payload["timestamp"])
        assert len(json.dumps(event)) < 512 * 1024

    @pytest.mark.parametrize(
        ("alert", "severity"), [(DOWN, "critical"), (SLOW, "warning")], ids=["down", "degraded"]
    )
    def test_outage_triggers(self, provider: Provider, alert: Alert, severity: str) -> None:
        request = sent(provider, "pagerduty", alert)

        assert request.path == "/events.pagerduty.com/v2/enqueue"
        event = request.json
        self.check(event)
        assert event["event_action"] == "trigger"
        assert event["dedup_key"] == "checkup/user-service/1"
        assert event["payload"]["severity"] == severity
        assert event["payload"]["source"] == "http://127.0.0.1:8000/?key=***"
        assert event["client_url"] == PAGE

    def test_recovery_resolves_the_same_incident(self, provider: Provider) -> None:
        sent(provider, "pagerduty", DOWN, BACK)

        first, second = (request.json for request in provider.requests)
        self.check(first)
        self.check(second)
        assert [first["event_action"], second["event_action"]] == ["trigger", "resolve"]
        assert first["dedup_key"] == second["dedup_key"]

    def test_repeat_is_the_same_event(self, provider: Provider) -> None:
        assert sent(provider, "pagerduty", DOWN) == sent(provider, "pagerduty", DOWN, repeat=True)

    def test_long_texts_and_ids_are_cut_and_hashed(self, provider: Provider) -> None:
        long = replace(LONG, checker="x" * 400, id=f"{'x' * 400}/open:down/1/5")

        event = sent(provider, "pagerduty", long).json

        self.check(event)
        assert re.fullmatch(r"checkup/[0-9a-f]{64}", event["dedup_key"])

    def test_notice_of_the_monitor_calls_nobody(self, provider: Provider) -> None:
        notice = replace(
            DOWN, id="/gap:unknown/0/5", checker="", kind=AlertKind.GAP, status=Status.UNKNOWN
        )

        request = sent(provider, "pagerduty", notice)

        assert request.path == "/events.pagerduty.com/v2/change/enqueue"
        assert set(request.json) == {"routing_key", "payload"}
        assert set(request.json["payload"]) == {"summary", "source", "timestamp", "custom_details"}

    def test_flapping_is_an_incident_of_its_own(self, provider: Provider) -> None:
        begun = replace(DOWN, id="user-service/flapping:down/1/6", kind=AlertKind.FLAPPING)
        over = replace(begun, id="user-service/settled:down/1/7", kind=AlertKind.SETTLED)

        sent(provider, "pagerduty", DOWN, begun, over)

        found = [
            (r.json["dedup_key"].removeprefix("checkup/user-service/"), r.json["event_action"])
            for r in provider.requests
        ]
        assert ("1", "trigger") in found
        flapping = [action for key, action in found if key == "flapping"]
        assert flapping == ["trigger", "resolve"]

    def test_one_lost_answer_makes_the_whole_message_unclear(self, provider: Provider) -> None:
        good = BY_NAME["pagerduty"].good
        provider.behave(good, Say(400), Say(429), Say(500), good)

        with pytest.raises(Unanswered):
            BY_NAME["pagerduty"].open(provider.url).send(told(*many(8)))

        assert len(provider.requests) == 8

    def test_wrong_key_keeps_the_message(self, provider: Provider) -> None:
        provider.behave(
            Say(400, '{"status": "invalid event", "errors": ["\'routing_key\' is invalid"]}')
        )

        with pytest.raises(Refused, match=r"PagerDuty answered 400 \(routing_key\)"):
            BY_NAME["pagerduty"].open(provider.url).send(told(DOWN))

    def test_europe_has_its_own_address(self, provider: Provider) -> None:
        provider.behave(BY_NAME["pagerduty"].good)

        PagerdutySettings(routing_key="k", region="eu").open(RoutedClients(provider.url)).send(
            told(DOWN)
        )

        assert provider.requests[0].path == "/events.eu.pagerduty.com/v2/enqueue"


class TestSns:
    """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""

    @staticmethod
    def form(provider: Provider) -> dict[str, str]:
        found = parse_qs(provider.requests[-1].body.decode(), strict_parsing=True)
        return {name: values[0] for name, values in found.items()}

    @pytest.mark.parametrize(
        "alerts",
        [[DOWN], [BACK], [LONG], many(200)],
        ids=["down", "back", "fault-124", "fault-115"],
    )
    def test_message_is_as_documented(self, provider: Provider, alerts: list[Alert]) -> None:
        sent(provider, "sns", *alerts)

        form = self.form(provider)
        assert (form["Action"], form["TopicArn"]) == ("Publish", ARN)
        assert re.fullmatch(r"[\x21-\x7e][\x20-\x7e]{0,98}", form["Subject"])
        assert 0 < len(form["Message"].encode()) <= 256 * 1024
        attributes = {
            form[f"MessageAttributes.entry.{n}.Name"]: (
                form[f"MessageAttributes.entry.{n}.Value.DataType"],
                form[f"MessageAttributes.entry.{n}.Value.StringValue"],
            )
            for n in (1, 2)
        }
        assert attributes["status"] == ("String", alerts[0].status)
        kind, checkers = attributes["checkers"]
        assert kind == "String.Array"
        assert json.loads(checkers)[0] == alerts[0].checker
        assert "MessageGroupId" not in form

    def test_topic_that_keeps_order_drops_a_repeat(self, provider: Provider) -> None:
        provider.behave(BY_NAME["sns"].good)
        channel = SnsSettings(topic_arn=f"{ARN}.fifo").open(RoutedClients(provider.url))

        channel.send(told(DOWN))
        first = self.form(provider)
        channel.send(told(DOWN, repeat=True))

        assert first["MessageGroupId"] == "checkup"
        assert self.form(provider)["MessageDeduplicationId"] == first["MessageDeduplicationId"]

    @pytest.mark.parametrize(
        ("status", "code", "words", "error"),
        [
            (404, "NotFound", "Topic does not exist", Refused),
            (403, "AuthorizationError", "account 123456789012 may not", Refused),
            (400, "InvalidParameter", "Invalid parameter: TopicArn", Refused),
            (400, "InvalidParameter", "Invalid parameter: Message too long", Rejected),
            (400, "Throttled", "slow", Refused),
            (500, "InternalError", "x", Unanswered),
            (503, "ServiceUnavailable", "x", Unanswered),
        ],
    )
    def test_each_error_has_its_meaning(
        self, provider: Provider, status: int, code: str, words: str, error: type[Exception]
    ) -> None:
        body = (
            '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>'
            f"<Type>Sender</Type><Code>{code}</Code><Message>{words}</Message></Error>"
            "<RequestId>1</RequestId></ErrorResponse>"
        )
        provider.behave(Say(status, body))

        with pytest.raises(error) as caught:
            BY_NAME["sns"].open(provider.url).send(told(DOWN))

        assert type(caught.value) is error
        assert str(caught.value) == f"SNS answered {status} ({code})"
        assert len(provider.requests) == 1

    @pytest.mark.parametrize("arn", ["", "alarms", "arn:aws:sqs:eu-central-1:123456789012:q"])
    def test_what_is_no_topic_keeps_the_message(self, arn: str) -> None:
        with pytest.raises(Refused):
            SnsSettings(topic_arn=arn).open(DirectClients()).send(told(DOWN))

    def test_missing_extra_keeps_the_message(self) -> None:
        with pytest.raises(Refused, match="not here"):
            SnsSettings(topic_arn=ARN).open(DirectClients()).send(told(DOWN))


class TestWebhook:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md."""

    def test_everything_there_is_to_know_is_sent(self, provider: Provider) -> None:
        request = sent(provider, "webhook", DOWN, total=3)

        assert request.path == f"/hook?token={SECRET}"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["x-key"] == SECRET
        body = request.json
        (alert,) = body.pop("alerts")
        assert re.fullmatch(r"[0-9a-f]{32}", body.pop("id"))
        assert body == {
            "headline": "User service is down since 02:53 UTC: connection refused",
            "text": "User service is down since 02:53 UTC: connection refused\n\n"
            "Address: http://127.0.0.1:8000/?key=***\nSince: 2024-05-01 02:53 UTC\n"
            "Seen from: eu-central-1\nAlert: 1e91af9a",
            "status": "down",
            "page_url": PAGE,
            "repeat": False,
            "count": 1,
            "total": 3,
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
    def test_signature_is_that_of_the_standard(
        self, provider: Provider, secret: str, key: bytes
    ) -> None:
        before = int(time.time())
        channel = WebhookSettings(url=provider.url, secret=secret).open(DirectClients())

        channel.send(told(DOWN))
        channel.send(told(DOWN, repeat=True))

        first, again = provider.requests
        assert first.headers["webhook-id"] == again.headers["webhook-id"]
        stamp = first.headers["webhook-timestamp"]
        assert before <= int(stamp) <= time.time()
        signed = f"{first.headers['webhook-id']}.{stamp}.".encode() + first.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert first.headers["webhook-signature"] == f"v1,{expected}"

    def test_method_can_be_another(self, provider: Provider) -> None:
        WebhookSettings(url=provider.url, method="PUT").open(DirectClients()).send(told(DOWN))

        assert [request.method for request in provider.requests] == ["PUT"]
        assert provider.requests[0].json["status"] == "down"

    def test_without_a_secret_nothing_is_signed(self, provider: Provider) -> None:
        WebhookSettings(url=provider.url).open(DirectClients()).send(told(DOWN))

        assert "webhook-signature" not in provider.requests[0].headers
        assert "webhook-id" in provider.requests[0].headers

    def test_template_stays_json_whatever_is_in_it(self, provider: Provider) -> None:
        template = (
            '{"title": "{{ status }}: {{headline}}", "tags": ["a"], "n": {{count}}, '
            '"again": {{repeat}}, "all": {{alerts}}, "of": "{{count}} of {{total}}"}'
        )
        nasty = replace(DOWN, title='"}\\{{text}}\n</x>', reason='", "admin": true, "x": "')
        channel = WebhookSettings(url=provider.url, template=template).open(DirectClients())

        channel.send(told(nasty))

        body = provider.requests[0].json
        assert set(body) == {"title", "tags", "n", "again", "all", "of"}
        assert body["title"].startswith('down: "}\\{{text}} </x> is down since')
        assert (body["n"], body["again"], body["of"]) == (1, False, "1 of 10")
        assert body["all"][0]["reason"] == '", "admin": true, "x": "'.strip()

    @pytest.mark.parametrize(
        ("template", "words"),
        [
            ("{{nothing}}", "there is no {{nothing}}; there are id, headline"),
            ("{{headline}}", "does not lead to JSON"),
            ('{"a": "{{alerts}}"}', "does not lead to JSON"),
            ('{"a": {{headline}}}', "does not lead to JSON"),
            ("{", "does not lead to JSON"),
            ("{{__class__}}", "there is no {{__class__}}"),
        ],
    )
    def test_template_that_leads_to_no_json_is_refused_at_once(
        self, template: str, words: str
    ) -> None:
        with pytest.raises(ValueError, match=re.escape(words)):
            WebhookSettings(url="http://127.0.0.1/", template=template)

    @pytest.mark.parametrize(
        "headers",
        [{"X Y": ("a",)}, {"": ("a",)}, {"X": ("a\r\nY: b",)}, {"X": ("ü",)}, {"X:": ("a",)}],
        ids=str,
    )
    def test_s13_header_that_cannot_be_sent_is_refused_at_once(
        self, headers: dict[str, tuple[str, ...]]
    ) -> None:
        with pytest.raises(ValueError, match="is not a header that can be sent"):
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
    def test_what_is_not_configured_well_keeps_the_message(
        self, settings: NotifierSettings
    ) -> None:
        with pytest.raises(Refused):
            settings.open(DirectClients()).send(told(DOWN))
