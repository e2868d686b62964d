"""Check the endpoints: by the schedule, or by hand.

Triggers: EventBridge Scheduler, with ``{"slot": "<aws.scheduler.scheduled-time>"}``; and anybody
who may, with ``{"checkers": ["title or id"]}``, which leaves no trace.
"""

import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from checkup import bootstrap, stack
from checkup.invocation import AdHoc, Scheduled, parse

logger = Logger(service="checkup")
config = bootstrap.read_config(os.environ.get("CONFIG"), os.environ)
monitor = bootstrap.make_monitor(config, os.environ)
run_deadline = bootstrap.run_deadline_seconds(config)

for warning in config.warnings:
    logger.warning(str(warning))


@logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> Any:  # noqa: ANN401 - as the event asks
    """Answer one event."""
    deadline = stack.deadline_of(run_deadline, context.get_remaining_time_in_millis())
    match parse(event, interval=config.interval, now=time.time_ns()):
        case AdHoc(names):
            return stack.look_now(monitor, names, deadline)
        case Scheduled(slot):
            return stack.run_slot(monitor, slot, deadline)
