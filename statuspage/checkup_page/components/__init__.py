"""Services on the page: bars, numbers and charts, from tracks of results to pages of their own."""
