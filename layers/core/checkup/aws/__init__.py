"""Entry points of the stack's functions."""
