"""History: runs become hours, hours become days, and these outlive the runs."""
