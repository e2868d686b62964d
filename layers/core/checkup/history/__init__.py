"""Runs become hours, hours become days: what was, without the runs that showed it. Pure."""
