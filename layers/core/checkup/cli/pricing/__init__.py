"""What a month of a stack costs: its sizes, what they use, and the prices of that."""
