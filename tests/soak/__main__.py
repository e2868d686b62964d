"""The soak test: thousands of storing runs that are killed and disturbed everywhere.

``python -m tests.soak [--runs N] [--kills N] [--seed S] [--only SCENE] [--jobs N]``

Worlds: each run of the check function is a process of its own, forked from an environment that has
loaded ``functions/check.py``, and is killed by SIGKILL from outside at requests of the seed's
choosing, before or after they were carried out. Between it and an emulator of S3 requests and
answers get lost, are refused with 409, 500 and 503, or are refused and carried out all the same; a
fake of Slack counts what people would see. Events come twice, late, overlapping or not at all, in
one region or in three.

Places: ``checkup --store`` on a folder and on SQLite, each run in a process that is killed before
one of its calls into the operating system.

Stories: a service, ``checkup every`` and Slack are killed and brought back in every order.

Afterwards each is judged: nothing lost, nothing doubled outside the moment between Slack's
acceptance and the receipt, every repeat labelled, everything readable. The same seed makes the same
faults; ``--only world/7`` lives through one scene once more.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Sequence

from tests.soak.story import ORDERS
from tests.soak.tally import Tally
from tests.soak.workers import KILLS, Scene, live_all


def main() -> int:
    """Return 0 if everything holds."""
    options = _options()
    print(f"seed {options.seed}", flush=True)
    chapters = -(-options.kills // KILLS)
    numbers = {
        "story": len(ORDERS),
        "folder": chapters,
        "sqlite": chapters,
        "world": options.runs,  # each has more than one
    }
    for kind, count in numbers.items():
        if not _live(options, kind, [Scene(kind, number) for number in range(count)]):
            return 1
    return 0


def _live(options: argparse.Namespace, kind: str, scenes: Sequence[Scene]) -> bool:
    """Live through scenes of one kind until there were enough runs; say how it went."""
    chosen = [scene for scene in scenes if options.only in {"", str(scene)}]
    began, tally = time.monotonic(), Tally()
    for scene, outcome in live_all(options.seed, chosen, options.jobs):
        if not isinstance(outcome, Tally):
            traceback.print_exception(outcome)
            print(f"{scene} does not hold: {outcome!r}")
            print(f"again: python -m tests.soak --seed {options.seed} --only {scene}")
            return False
        tally.add(outcome)
        if kind == "world" and tally.runs >= options.runs:
            break
    if chosen:
        print(report(kind, tally, time.monotonic() - began), flush=True)
    return True


def report(kind: str, tally: Tally, seconds: float) -> str:
    """Return the figures, as lines."""
    faults = ", ".join(f"{count} x {name}" for name, count in sorted(tally.faults.items()))
    return (
        f"{kind}: {tally.runs} runs ({tally.overlapping} overlapping, {tally.kills} killed) "
        f"in {seconds:.0f} s\n"
        + (f"  faults: {faults}\n" if faults else "")
        + f"  {tally.alerts} alerts in {tally.messages} messages: 0 lost, 0 doubled outside the "
        f"ack window; in its {tally.windows} events {tally.repeats} repeats, all labelled"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    parser.add_argument("--only", default="", metavar="SCENE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
