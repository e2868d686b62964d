"""One notification, sent to a server that plays a provider."""

from __future__ import annotations

from typing import Any

from checkup.model import Alert
from tests.notifiers.channels import BY_NAME
from tests.notifiers.stories import notification
from tests.servers.provider import Provider

PAGE = "https://status.example.com/"


def sent(provider: Provider, name: str, *alerts: Alert, **more: Any) -> Any:
    provider.behave(BY_NAME[name].good)
    BY_NAME[name].open(provider.url).send(notification(*alerts, **{"page_url": PAGE, **more}))
    return provider.requests[-1]
