"""The soak test: thousands of runs of the real check function, killed and disturbed everywhere.

``python -m tests.soak [--runs N] [--seed S] [--world N] [--jobs N]``

Each run is a process of its own, forked from an environment that has loaded ``functions/check.py``,
and is killed by SIGKILL from outside at requests of the seed's choosing, before or after they were
carried out. Between it and an emulator of S3 requests and answers get lost, are refused with 409,
500 and 503, or are refused and carried out all the same; a fake of Slack counts what people would
see. Events come twice, late, overlapping or not at all, in one region or in three. Afterwards each
world is judged: nothing lost, nothing doubled outside the moment between Slack's acceptance and the
receipt, every repeat labelled.

The same seed makes the same faults; ``--world`` lives through a single world once more.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.soak.workers import live_all
from tests.soak.world import Tally


def main() -> int:
    """Return 0 if all worlds hold."""
    options = _options()
    began, tally = time.monotonic(), Tally()
    print(f"seed {options.seed}", flush=True)
    numbers = range(options.runs) if options.world is None else [options.world]
    for number, outcome in live_all(options.seed, numbers, options.jobs):
        if not isinstance(outcome, Tally):
            print(f"world {number} does not hold: {outcome!r}")
            print(f"again: python -m tests.soak --seed {options.seed} --world {number}")
            return 1
        tally.add(outcome)
        if options.world is None and tally.runs >= options.runs:
            break
    print(report(tally, time.monotonic() - began))
    return 0


def report(tally: Tally, seconds: float) -> str:
    """Return the figures, as lines."""
    faults = ", ".join(f"{count} x {name}" for name, count in sorted(tally.faults.items()))
    return (
        f"{tally.runs} runs, {tally.overlapping} of them overlapping, {tally.kills} killed, "
        f"in {seconds:.0f} s\n"
        f"faults: {faults}\n"
        f"{tally.alerts} alerts in {tally.messages} messages: 0 lost, 0 doubled outside the ack "
        f"window; {tally.repeats} labelled repeats in {tally.windows} events of it"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    parser.add_argument("--world", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
