"""Serving the page over HTTP, for one machine or behind a proxy."""
