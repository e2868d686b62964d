"""Incidents and maintenance: what people say of them, and what the runs tell. Pure."""
