"""How the page says things: languages, time zones, and the text of numbers and moments."""
