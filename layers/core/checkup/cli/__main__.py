"""``python -m checkup.cli`` is ``checkup``."""

import sys

from checkup.cli import main

if __name__ == "__main__":
    sys.exit(main())
