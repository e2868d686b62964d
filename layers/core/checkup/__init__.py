"""Checkup: health checks that run on a schedule, alerts on change, and a status page."""

__version__ = "0.2.0"
