"""The status page: history and state -> exactly what is shown -> files."""
