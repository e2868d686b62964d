"""The steps of a storing run, in this order.

1. Check, and store the run under its slot, once.
2. Apply the runs since the last time to the AlertState. The alerts that follow are queued in the
   outboxes of the same document, in one compare-and-set.
3. Deliver: the outbox of each channel is claimed and sent as one message.
4. Record in the state what became of each delivery.

Any run may do any step for any other. A run that is killed leaves a document from which the next
one continues, and whatever it left undone is done then.
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
