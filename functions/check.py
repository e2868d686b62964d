"""Run the checks, on the schedule or on request.

Triggers: EventBridge Scheduler with ``{"slot": "<aws.scheduler.scheduled-time>"}``; manual
invocations with ``{"checkers": ["title or id"]}``, which store nothing without ``"record": true``,
or with ``{"notify_test": []}``.
"""

import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from checkup.aws.check import CheckFunction
from checkup.aws.events import parse_check_event
from checkup.aws.runtime import frozen_gc

logger = Logger(service="checkup", use_rfc3339=True)
with frozen_gc():
    service = CheckFunction(os.environ)


@logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> Any:
    """Answer one event."""
    request = parse_check_event(event, now=time.time_ns())
    return service.handle(request, context.get_remaining_time_in_millis())
