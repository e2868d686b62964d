"""Observe, fold, deliver, receipt: what a storing run does, in this order.

1. Observe: the run is stored under its slot, once and for all.
2. Fold: the runs since the last fold move the states in the head, and the alerts that follow go
   into the outboxes of the same document, in one compare-and-set.
3. Deliver: the outbox of each channel is claimed and sent as one message.
4. Receipt: what the channel said of it is written into the head.

Any run may do any step for any other. A run that is killed leaves a document that the next one
carries on from, and whatever it left undone is done then.
"""

from __future__ import annotations

from checkup.pipeline.context import FINISH_SECONDS, RunContext, RunOutcome, with_origin
from checkup.pipeline.run import run_and_store, run_in_region, store_run
from checkup.pipeline.state_store import confirmed_statuses, read_state

__all__ = [
    "FINISH_SECONDS",
    "RunContext",
    "RunOutcome",
    "confirmed_statuses",
    "read_state",
    "run_and_store",
    "run_in_region",
    "store_run",
    "with_origin",
]
