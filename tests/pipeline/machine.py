"""One of several machines that vote: a process that runs checks slot after slot.

``python -m tests.pipeline.machine CONFIG`` does what ``checkup every`` does, with a shorter wait
for machines that are missing, so that a test need not wait for half a minute.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Final

from msgspec.structs import replace

from checkup import app
from checkup.deadline import Deadline
from checkup.errors import CheckupError
from checkup.pipeline import run_and_store
from checkup.storage.folder import FolderStorage
from checkup.times import SECOND

GRACE: Final = 6 * SECOND


def main(path: str) -> None:
    """Run checks at the beginning of every slot, until the process is ended."""
    config = app.read_config(path, os.environ)
    shared = os.environ.get("SHARED_FOLDER")
    storage = FolderStorage(shared, is_network=True) if shared else None
    context = app.run_context(config, os.environ, storage=storage)
    app.require_region(context)
    context = replace(context, grace=GRACE)
    step = context.interval / SECOND
    while True:
        try:
            outcome = run_and_store(context, context.slot_at(time.time_ns()), Deadline.after(step))
            print("late" if outcome.late else "stored", flush=True)
        except CheckupError as error:
            print(f"failed: {error}", flush=True)
        time.sleep(step - (time.time() - 0.02) % step)


if __name__ == "__main__":
    main(sys.argv[1])
