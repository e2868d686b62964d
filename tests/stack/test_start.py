from __future__ import annotations

import subprocess
import sys

LASTING = """
import gc
from checkup.aws.runtime import frozen_gc

try:
    with frozen_gc():
        made = [[]]
        print(gc.isenabled())
        raise KeyError
except KeyError:
    print(gc.isenabled(), any(it is made for it in gc.get_objects()))
"""


def test_collector_rests_at_the_start_and_never_looks_at_what_was_made_then() -> None:
    command = [sys.executable, "-c", LASTING]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "True", "False"]
