"""checkup.json: from text to typed settings, with the place of every problem."""

from __future__ import annotations

from checkup.config.load import load, read
from checkup.config.settings import Config, Kinds

__all__ = ["Config", "Kinds", "load", "read"]
