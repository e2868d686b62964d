"""Runs all checkers of one run: bounded, paced, under one deadline, with re-checks."""

from __future__ import annotations

from checkup.engine.run import look

__all__ = ["look"]
