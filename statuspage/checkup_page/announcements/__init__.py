"""What is told of incidents and maintenance, whoever wrote it, and its pages."""
