"""What the functions' log says of a run, and that each line of it can be laid to one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from checkup import __version__
from checkup.app import read_config
from checkup.aws.runtime import log_fields, origin_fields, run_fields
from checkup.model import Run
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from tests.pipeline.recording import monitor

NOON = 1_769_860_800 * SECOND
OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message"}
FACTS = {"run": "a", "region": "eu"}
ENVIRON = {"AWS_REGION": "eu-central-1", "SLACK_WEBHOOK": "https://hooks.slack.test/canary"}


class Lines(logging.Handler):
    """Keeps what a record has beside its own fields, which is what the runtime writes too."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append({k: v for k, v in record.__dict__.items() if k not in OWN})


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger("checkup.lines")
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)


def say(words: str) -> None:
    logging.getLogger("checkup.lines").warning(words)


@pytest.mark.row("S10.2")
def test_each_line_of_a_run_tells_its_facts_from_any_thread(lines: Lines) -> None:
    with log_fields(FACTS), ThreadPoolExecutor(1) as pool:
        say("here")
        pool.submit(say, "there").result()
    assert lines.seen == [FACTS, FACTS]


@pytest.mark.row("S10.2")
def test_lines_of_no_run_tell_none(lines: Lines) -> None:
    with pytest.raises(KeyError), log_fields(FACTS):
        raise KeyError
    say("afterwards")
    assert lines.seen == [{}]


@pytest.mark.row("S10.2")
def test_facts_are_run_slot_region_configuration_and_version(tmp_path: Path) -> None:
    file = tmp_path / "checkup.json"
    file.write_text(json.dumps({"notifiers": [{"type": "slack", "webhook": "${SLACK_WEBHOOK}"}]}))
    config = read_config(str(file), ENVIRON)
    here = monitor(MemoryStorage(), region="us", regions=("eu", "us"))
    assert {**run_fields(here, NOON), **origin_fields(config, ENVIRON)} == {
        "run": Run(slot=NOON, results=(), region_index=1).file_name,
        "slot": "2026-01-31T12:00:00Z",
        "region": "eu-central-1",
        "config": config.digest,
        "version": __version__,
    }
