"""The kinds of place for the page. To add one, write its module and add its line here.

They come with the page, which the check function of a stack is deployed without.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from checkup.ports import PublisherSettings
from checkup.registry import Registry

PUBLISHERS: Final[Registry[PublisherSettings]] = Registry(
    {
        "fs": "checkup_page.publishers.folder:FolderPublisherSettings",
        "s3": "checkup_page.publishers.s3:S3PublisherSettings",
        "github": "checkup_page.publishers.github:GitHubPublisherSettings",
    }
    if find_spec("checkup_page")
    else {}
)
