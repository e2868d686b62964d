"""The configuration: text -> tree with positions -> typed values, every problem with its place."""
