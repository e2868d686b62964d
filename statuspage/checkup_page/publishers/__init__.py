"""The places where a page can be put."""
