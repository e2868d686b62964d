"""The types that a key of the configuration can have.

They are ordinary Python types with a mark that tells the reader how to read them and the
rest of the program how to treat them.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Duration = Annotated[int, Meta(extra={"is": "duration"})]
"""Nanoseconds; written as ``"500ms"``, ``"1h30m"`` or Go's integer."""

Secret = Annotated[str, Meta(extra={"is": "secret"})]
"""A password, token or webhook, or a reference to one (``ssm:…``, ``secretsmanager:…``,
``env:…``, ``file:…``); resolved when it is used, never stored, printed or logged."""

Headers = Annotated[dict[str, tuple[str, ...]], Meta(extra={"is": "headers"})]
"""Header name to its values; a single string is read as a list of one."""

Strings = Annotated[tuple[str, ...], Meta(extra={"is": "strings"})]
"""A list of strings; a single string is read as a list of one."""

Moment = Annotated[int, Meta(extra={"is": "moment"})]
"""Nanoseconds since the epoch; written in RFC 3339."""

Seconds = Annotated[int, Meta(extra={"is": "seconds"})]
"""Whole seconds; written as an integer or as a duration, ``60`` or ``"1m"``."""
