from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkup.config import Config, load
from checkup.errors import ConfigError, Problem
from tests.config.world import KINDS, Read, Refuse

SECRETS = dict.fromkeys(("A", "B", "D", "HOOK", "ID", "K", "KEY", "P", "R", "T", "W"), "set")
"""What references such as ``env:HOOK`` name, unless a test says otherwise."""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a document, a text or bytes as if it were a file."""

    def reader(content: Any, *, suffix: str = ".json", **environ: str) -> Config:
        if not isinstance(content, str | bytes):
            content = json.dumps(content, indent=1, ensure_ascii=False)
        body = content.encode() if isinstance(content, str) else content
        path = tmp_path / f"checkup{suffix}"
        path.write_bytes(body)
        return load(str(path), KINDS, {**SECRETS, **environ})

    return reader


@pytest.fixture
def refuse(read: Read) -> Refuse:
    """Read something that must be refused, and return why."""

    def refuser(content: Any, *, suffix: str = ".json", **environ: str) -> list[Problem]:
        with pytest.raises(ConfigError) as caught:
            read(content, suffix=suffix, **environ)
        assert caught.value.problems
        return list(caught.value.problems)

    return refuser
