"""The messages that the demo sent to Slack, for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_DATE = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
"""A time that Slack shows in its reader's time zone, and the text where it cannot."""


def transcript(messages: Iterable[Mapping[str, Any]]) -> str:
    """Return the messages as a channel would show them, one paragraph each."""
    lines = []
    for message in messages:
        text = _DATE.sub(r"\1", message["text"]).replace("*", "")
        lines.append(f"  {message.get('channel', '')}  {message.get('username', '')}: {text}\n")
    return "\n".join(lines)
