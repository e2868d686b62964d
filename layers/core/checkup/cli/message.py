"""``checkup message``: words about one checker, stored with a run."""

from __future__ import annotations

from collections.abc import Sequence

import click

from checkup.cli import progress, recording, session
from checkup.cli.choosing import complete_checkers
from checkup.cli.deployed import request_publish
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.config.nearest import Nearest
from checkup.errors import CheckupError
from checkup.ports import Checker
from checkup.redaction import mask_secrets


@click.command(
    epilog=examples_epilog(
        'checkup message "We are looking into it."',
        'checkup message "The new disk is in." --about "Web shop"',
        'checkup -c shop.yaml message -a api "Back at 14:00 UTC."',
    ),
)
@config_options
@click.option(
    "-a",
    "--about",
    metavar="TITLE",
    default="",
    shell_complete=complete_checkers,
    help="The title or id of the checker; needed if there are several.",
)
@verbose_option
@click.argument("text")
def message(config_file: str | None, *, about: str, verbose: bool, text: str) -> int:
    """Look at everything and store the run with TEXT attached to one result.

    The status page shows the text beside that checker until the run leaves its window.
    """
    if not text.strip():
        raise CheckupError("the message is empty")
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    recorder = recording.RunRecorder.of(config)
    checker = _about(config.checkers, about)
    with progress.progress_bar(len(config.checkers), wanted=not verbose) as done:
        recorder.record(message=(checker.id, mask_secrets(text, config.masks)), progress=done)
    request_publish()
    print("Message posted")
    return 0


def _about(checkers: Sequence[Checker], title: str) -> Checker:
    """Return the checker that is meant: the only one, or the first of that title or id."""
    if not title and len(checkers) == 1:
        return checkers[0]
    if not title and checkers:
        raise CheckupError(
            "more than one result; unable to guess which one to attach message to;"
            " name it with --about TITLE"
        )
    for name in ("title", "id"):
        for checker in checkers:
            if getattr(checker, name).casefold() == title.casefold():
                return checker
    known = Nearest(name for checker in checkers for name in (checker.title, checker.id))
    said = [f"no result for endpoint with title '{title}'", known.advice(title)]
    raise CheckupError("; ".join(filter(None, said)))
