"""One job, three lanes."""
