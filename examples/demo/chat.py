"""The messages that the demo sent to Slack, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def transcript(messages: Iterable[Mapping[str, Any]]) -> str:
    """Return the messages as a channel would show them, one paragraph each."""
    return "\n".join(
        f"  {message.get('channel', '')}  {message.get('username', '')}: "
        f"{message['text'].replace('*', '')}\n"
        for message in messages
    )
