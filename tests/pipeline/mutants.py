"""Fifteen ways to break the pipeline: do the tests notice each of them?

``python -m tests.pipeline.mutants [WORD]`` copies the program, changes one line of the copy at a
time and runs the tests of alerting and pipeline against it. A change that no test notices is a
hole in the tests. With a word, only the mutants whose name has it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = ROOT / "layers" / "core" / "checkup"
RULES: Final = ("tests/alerting", "tests/pipeline/test_faults.py")
PIPELINE: Final = (
    "tests/pipeline/test_run_store.py",
    "tests/pipeline/test_run_apply.py",
    "tests/pipeline/test_state_store.py",
    "tests/pipeline/test_run_store_expiry.py",
    "tests/pipeline/test_deliver.py",
    "tests/pipeline/test_run_steps.py",
    "tests/pipeline/test_faults.py",
    "tests/pipeline/test_soak.py",
)
TESTS: Final = {
    "alerting": RULES,
    "documents.py": PIPELINE,
    "evaluation.py": RULES,
    "pipeline": PIPELINE,
    "run_store.py": PIPELINE,
}
"""What is run against a mutant of a package or module, without the pairs of kills, which take
long."""


class Mutant(NamedTuple):
    """A wrong line: where it is, what it was and what it becomes."""

    name: str
    file: str
    right: str
    wrong: str


MUTANTS: Final = (
    Mutant(
        "the head is replaced without a condition",
        "documents.py",
        "storage.replace(key, body, before.version)",
        "storage.replace(key, body, storage.get(key).version)",
    ),
    Mutant(
        "a stored run is overwritten",
        "run_store.py",
        "return body if stored is None else stored.body",
        "return storage.replace(key, body, stored.version) and body",
    ),
    Mutant(
        "an unclear claim is taken for one's own",
        "pipeline/deliver.py",
        "if batch and outbox.holds_claim(state, channel, batch, owner, until):",
        "if batch:",
    ),
    Mutant(
        "one's own claim is taken for another's",
        "pipeline/deliver.py",
        "if batch and outbox.holds_claim(state, channel, batch, owner, until):",
        "if False:",
    ),
    Mutant(
        "the claims of others are passed over",
        "pipeline/deliver.py",
        "return outbox.is_claimed(state, self._channel, self._owner, now, gone=gone)",
        "return False",
    ),
    Mutant(
        "a claim ends before its owner",
        "pipeline/deliver.py",
        "until = context.storage.now_ns() + int((left + MARGIN_SECONDS) * SECOND)",
        "until = context.storage.now_ns() + 2 * SECOND",
    ),
    Mutant(
        "a receipt clears the whole outbox",
        "alerting/outbox.py",
        "[e for e in queued(state, channel) if e.alert.id not in gone]",
        "[]",
    ),
    Mutant(
        "a message without an answer is taken for delivered",
        "pipeline/deliver.py",
        "return DeliveryResult(DeliveryStatus.UNKNOWN, str(error), error.retry_after)",
        "return DeliveryResult(DeliveryStatus.DELIVERED, str(error))",
    ),
    Mutant(
        "a refused message is taken for delivered",
        "pipeline/deliver.py",
        "return DeliveryResult(DeliveryStatus.NOT_DELIVERED, str(error), error.retry_after)",
        "return DeliveryResult(DeliveryStatus.DELIVERED, str(error))",
    ),
    Mutant(
        "an alert is dropped on its way into the outbox",
        "alerting/apply.py",
        "state = enqueue(state, channel, routed)",
        "state = enqueue(state, channel, routed[: 2 - len(routed)] or routed[1:])",
    ),
    Mutant(
        "a message is begun without the time for its receipt",
        "pipeline/deliver.py",
        "if left < MIN_DELIVERY_SECONDS or waits or self._is_claimed(state):",
        "if left < 0 or waits or self._is_claimed(state):",
    ),
    Mutant(
        "a slot that is still open is passed over",
        "evaluation.py",
        "            break\n",
        "            continue\n",
    ),
    Mutant(
        "a failed write is not repeated",
        "documents.py",
        "if failures == MAX_FAILURES or (deadline",
        "if failures > 0 or (deadline",
    ),
    Mutant(
        "what happened while nothing was announced is forgotten",
        "alerting/transitions.py",
        "(suppressed and status is not Status.HEALTHY):\n        return state",
        "(suppressed and status is not Status.HEALTHY):\n"
        "        return replace(state, alerted_status=status)",
    ),
    Mutant(
        "reminders go by the clock on the wall",
        "alerting/transitions.py",
        "next_reminder(state, remind_every) <= slot",
        'next_reminder(state, remind_every) <= __import__("time").time_ns()',
    ),
)


def main(word: str = "") -> int:
    """Try the mutants and return how many went unnoticed."""
    unnoticed = 0
    for mutant in MUTANTS:
        if word in mutant.name:
            noticed = _is_noticed(mutant)
            unnoticed += not noticed
            print(f"{'noticed  ' if noticed else 'UNNOTICED'}  {mutant.name}", flush=True)
    return unnoticed


def _is_noticed(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkup"
        shutil.copytree(PROGRAM, copy, ignore=shutil.ignore_patterns("__pycache__"))
        place = copy / mutant.file
        text = place.read_text()
        assert text.count(mutant.right) == 1, f"{mutant.file} has changed: {mutant.right}"
        place.write_text(text.replace(mutant.right, mutant.wrong))
        return _tests_fail(folder, TESTS[mutant.file.partition("/")[0]])


def _tests_fail(path: str, tests: Sequence[str]) -> bool:
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-qx", "-n2", "-knot pair", *tests],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode in {0, 1, 2}, ended.stdout + ended.stderr
    assert ended.returncode != 2 or " failed" in ended.stdout, ended.stdout + ended.stderr
    return ended.returncode != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
