"""What Discord is sent, against its documentation restated here.

https://discord.com/developers/docs/resources/message#embed-object-embed-limits
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from checkup.errors import NotDeliveredError
from checkup.model import Alert, Status
from checkup.notifiers.discord import DiscordSettings, message
from checkup.notifiers.message import short_id
from checkup.times import SECOND
from tests.notifiers.channels import BY_NAME, SECRET
from tests.notifiers.sending import PAGE, sent
from tests.notifiers.stories import BACK, DOWN, LINKS, LONG, NIGHT, many, notification
from tests.servers.provider import Provider, Say


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


@pytest.mark.row("D12")
@pytest.mark.parametrize("status", [Status.DOWN, Status.DEGRADED], ids=["down", "slow"])
def test_bad_state_has_the_shape_of_the_go_program(
    provider: Provider, status: Status, capfd: pytest.CaptureFixture[str]
) -> None:
    request = sent(provider, "discord", replace(DOWN, status=status))

    assert request.path == f"/api/webhooks/1/{SECRET}?wait=true"
    assert request.headers["content-type"] == "application/json"
    message = request.json
    check(message)
    assert message["username"] == "Checkup"
    (embed,) = message["embeds"]
    assert embed["color"] == (12719112 if status is Status.DOWN else 0xE6B400)
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


@pytest.mark.row("D12")
@pytest.mark.parametrize("said", [Say(204), Say(200, "{}")], ids=["204", "200"])
def test_both_kinds_of_yes_are_yes(provider: Provider, said: Say) -> None:
    provider.behave(said)

    BY_NAME["discord"].open(provider.url).send(notification(DOWN))


@pytest.mark.row("115", "124")
@pytest.mark.parametrize(
    "alerts",
    [[LONG], [LONG] * 5, [LONG] * 6, many(200), [replace(DOWN, title="", endpoint="")]],
    ids=["one", "five", "list", "limits", "empty"],
)
def test_limits_are_kept(provider: Provider, alerts: list[Alert]) -> None:
    apart = [replace(a, checker=f"{n}", id=f"{n}/open:down/1/5") for n, a in enumerate(alerts)]

    check(sent(provider, "discord", *apart, total=200, possible_duplicate=True).json)


def test_code_of_an_error_is_named(provider: Provider) -> None:
    provider.behave(Say(404, '{"message": "Unknown Webhook", "code": 10015}'))

    with pytest.raises(NotDeliveredError, match=r"^Discord answered 404 \(10015\)$"):
        BY_NAME["discord"].open(provider.url).send(notification(DOWN))


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("@here", "@here", {"parse": ["everyone"]}),
        ("@everyone", "@everyone", {"parse": ["everyone"]}),
        ("123456789012345678", "<@123456789012345678>", {"users": ["123456789012345678"]}),
        ("&123456789012345678", "<@&123456789012345678>", {"roles": ["123456789012345678"]}),
    ],
)
def test_only_those_of_the_configuration_are_mentioned(
    name: str, text: str, allowed: dict[str, list[str]]
) -> None:
    said = message(notification(DOWN), {"down": (name,)})

    assert said["content"].startswith(f"{text} **User service** is down")
    assert said["allowed_mentions"] == {"parse": [], **allowed}
    assert message(notification(BACK), {"down": (name,)})["allowed_mentions"] == {"parse": []}


def test_unknown_mention_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown name"):
        DiscordSettings(mention={"down": ("@ops",)})


def test_name_links_to_the_component_and_times_are_local() -> None:
    said = message(notification(DOWN, links=LINKS))

    assert said["content"].startswith(
        f"**[User service](<{LINKS['user-service']}>)** is down since <t:{NIGHT // SECOND}:f>"
    )
