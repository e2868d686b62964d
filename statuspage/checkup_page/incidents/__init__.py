"""Incidents and maintenance: load them, build their views, render their pages."""

from __future__ import annotations
