"""Checkup: health checks that run on a schedule, alerts on change, and a status page."""

from typing import Final

__version__ = "0.2.0"

DISTRIBUTION: Final = "checkup-monitor"
"""The name of the package to install; ``checkup`` on PyPI is a project of somebody else."""
