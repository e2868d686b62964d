"""What the results mean: assessment of one result, states over time, alerts. Pure."""
