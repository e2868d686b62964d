"""Publishes into a folder and is killed: ``python -m tests.page.doomed_publisher DIR N``.

It kills itself just before the N-th call into the operating system that touches a file.
"""

from __future__ import annotations

import sys

from checkup.interfaces import PageVersion
from checkup_page.publishers.folder import FolderPublisher
from tests.doom import FILES, die_before
from tests.page.pages import page
from tests.page.worlds import NOW

OLD = page()
NEW = {**page(index="two", status="[]", api=None), "new.html": page()["404.html"]}

if __name__ == "__main__":
    folder, fatal = sys.argv[1:]
    publisher = FolderPublisher(folder)
    publisher.publish(OLD, PageVersion(position=1, made=NOW))
    die_before(int(fatal), FILES)
    publisher.publish(NEW, PageVersion(position=2, made=NOW))
