from __future__ import annotations

import re
import time

import pytest

from checkup.deadline import Stopwatch


def test_phases_are_added_up_and_count_when_they_fail() -> None:
    watch = Stopwatch()

    def fail_slowly() -> None:
        with watch.phase("connect"):
            time.sleep(0.01)
            raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            fail_slowly()

    phases = watch.phases()
    assert 20_000_000 <= phases.connect <= watch.elapsed_ns()
    assert phases.tls == 0


def test_time_is_told_in_round_numbers() -> None:
    watch = Stopwatch()
    assert re.fullmatch(r"\d+ms|0s", str(watch))

    time.sleep(0.11)
    assert re.fullmatch(r"\d00ms|\d+(\.\d)?s", str(watch))
