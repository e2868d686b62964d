"""Runs all checkers of one run: bounded, paced, under one deadline, with re-checks."""

from __future__ import annotations

from checkup.engine.run import run_checks

__all__ = ["run_checks"]
