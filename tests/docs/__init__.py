"""What the texts say, typed and compared with the code."""
