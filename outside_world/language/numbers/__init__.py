"""Numbers: the readers of years, mileages and prices."""
