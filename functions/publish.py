"""Publish the status page after writes below ``state/``, on a schedule, and on ``events/``."""

import os
import time

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from checkup import app
from checkup.aws.events import PublishTask, parse_publish_event
from checkup.aws.publish import publish_deadline, rebuild_history
from checkup.aws.runtime import FunctionConfig, frozen_gc, origin_fields
from checkup_page.publish import PagePublisher, describe_results
from checkup_page.publishers.s3 import S3Publisher

logger = Logger(service="checkup", use_rfc3339=True)
with frozen_gc():
    settings = FunctionConfig(os.environ)
    clients = app.LiveClients(os.environ)
    storage = app.open_stack_storage(clients, os.environ)
    bucket = os.environ["PAGE_BUCKET"]
    page = PagePublisher(storage, {bucket: S3Publisher(app.s3_client(clients), bucket)})


@logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> dict[str, object]:
    """Answer one event."""
    task = parse_publish_event(event)
    config = settings.current().config
    if isinstance(task, PublishTask):
        page.force()
        if task.is_rebuild:
            rebuild_history(config, storage, context.get_remaining_time_in_millis())
            page.reset()
    deadline = publish_deadline(context.get_remaining_time_in_millis())
    message, fields = describe_results(page.publish_if_due(config, time.time_ns(), deadline))
    logger.info(message, extra=fields | origin_fields(config, os.environ))
    return {"changed": fields["changed"]}
