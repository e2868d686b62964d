"""What is told of incidents and maintenance, whoever wrote it, and its pages."""

from __future__ import annotations
