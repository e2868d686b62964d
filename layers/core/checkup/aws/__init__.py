"""The door of the deployed stack: what its functions do for an event."""
