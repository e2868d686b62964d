"""Render the status page and publish what changed.

Triggers: S3, when something below ``state/`` is written; EventBridge Scheduler, every five
minutes, with ``{"task": "publish"}``; by hand also ``{"task": "rebuild"}``, to count days again.
"""

import os
import time

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from checkup import bootstrap
from checkup.invocation import Task, parse_task
from checkup.stack import Settings, lasting, origin_of, rebuild
from checkup_page.publish import Publication
from checkup_page.publishers.s3 import S3Publisher

logger = Logger(service="checkup", use_rfc3339=True)
with lasting():
    settings = Settings(os.environ)
    clients = bootstrap.LiveClients(os.environ)
    storage = bootstrap.stack_storage(clients, os.environ)
    publisher = S3Publisher(bootstrap.make_s3(clients), os.environ["PAGE_BUCKET"])
    page = Publication(storage=storage, publisher=publisher)


@logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> dict[str, object]:
    """Answer one event."""
    task = parse_task(event)
    config = settings.current().config
    if isinstance(task, Task):
        page.wake()
        if task.is_rebuild:
            rebuild(config, storage, context.get_remaining_time_in_millis())
            page.forget()
    changed = page.keep_up(config, time.time_ns())
    logger.info("page published", extra={"changed": changed, **origin_of(config, os.environ)})
    return {"changed": changed}
