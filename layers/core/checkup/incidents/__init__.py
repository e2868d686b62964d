"""Incidents and maintenance: those that people write, and those detected in the history."""
