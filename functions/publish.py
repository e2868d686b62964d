"""Render the status page and publish what changed.

Triggers: S3, when something below ``state/`` is written; EventBridge Scheduler, every five
minutes. What there is to publish is in the bucket, so the event says nothing.
"""

import os
import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from checkup import bootstrap
from checkup_page.publish import Memory, publish
from checkup_page.publishers.s3 import S3Publisher

logger = Logger(service="checkup")
config = bootstrap.read_config(os.environ.get("CONFIG"), os.environ)
clients = bootstrap.make_clients(config, os.environ)
storage = bootstrap.stack_storage(clients, os.environ["STATE_BUCKET"])
publisher = S3Publisher(clients.aws("s3"), os.environ["PAGE_BUCKET"])
memory = Memory()


@logger.inject_lambda_context
def handler(_event: object, _context: LambdaContext) -> dict[str, Any]:
    """Publish the page as of now."""
    changed = publish(config, storage, publisher, time.time_ns(), memory=memory)
    logger.info("page published", extra={"changed": changed})
    return {"changed": changed}
