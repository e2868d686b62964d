"""Changes of status over time, what suppresses alerts, and the outboxes of the channels. Pure."""
