"""Names: the readers of cars, cities and countries, and the lists of known names."""
